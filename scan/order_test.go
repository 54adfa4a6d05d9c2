package scan_test

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/scan"
)

// targets yields "ftp 192.0.2.7:21" for each endpoint of inputs, which must all be usable.
func targets(t *testing.T, inputs iter.Seq2[scan.Input, error], o *scan.EndpointOptions) []string {
	t.Helper()
	all := describe(scan.Endpoints(t.Context(), inputs, probers(nil), o))
	for _, s := range all {
		require.NotContains(t, s, "error", s)
	}
	return all
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

var mixed = []string{"192.0.2.0/24", "ftp.example.net", "[2001:db8::/121]:21", "ftps://192.0.2.7", "198.51.100.0/27:25"}

func TestShuffledEndpointsAreThoseInOrder(t *testing.T) {
	want := targets(t, scan.Args(mixed), inOrder)
	for seed := range uint64(5) {
		got := targets(t, scan.Args(mixed), &scan.EndpointOptions{Resolver: zone, Seed: seed})
		require.NotEqual(t, want, got)
		require.Equal(t, sorted(want), sorted(got))
		require.Equal(t, got, targets(t, scan.Args(mixed), &scan.EndpointOptions{Resolver: zone, Seed: seed}))
		require.NotEqual(t, got, targets(t, scan.Args(mixed), &scan.EndpointOptions{Resolver: zone, Seed: seed + 1}))
	}
}

// Neither a network nor a host is asked all at once: among the first 64 endpoints of a /16 are few neighbours.
func TestShuffleSpreads(t *testing.T) {
	networks := map[string]int{}
	ports := map[string]int{}
	n := 0
	for e := range scan.Endpoints(t.Context(), scan.Args([]string{"10.0.0.0/16"}), probers(nil), &scan.EndpointOptions{Spread: true}) {
		networks[fmt.Sprint(e.Target.Addr.Addr().As4()[2])]++
		ports[fmt.Sprint(e.Target.Addr.Port())]++
		if n++; n == 64 {
			break
		}
	}
	require.Greater(t, len(networks), 45) // 56.7 are expected of 64 throws of a die with 256 sides
	require.Len(t, ports, 9)
}

// Shards are a partition, each host lies in one of them, and they are about as large, whatever the seed of each.
func TestShardsPartition(t *testing.T) {
	whole := sorted(targets(t, scan.Args(mixed), inOrder))
	for _, count := range []int{1, 2, 3, 16, 1000} {
		var all []string
		hosts := map[string]int{}
		for i := 1; i <= count; i++ {
			shard := scan.Shard{Index: i, Count: count}
			part := targets(t, scan.Args(mixed), &scan.EndpointOptions{Resolver: zone, Seed: uint64(i), Shard: shard})
			for _, s := range part {
				host := strings.Fields(s)[1]
				if strings.HasPrefix(host, "ftp.") {
					continue // the name and its addresses may be hosts of two shards
				}
				host = host[:strings.LastIndex(host, ":")]
				require.Contains(t, []int{0, i}, hosts[host], host)
				hosts[host] = i
			}
			if count == 16 {
				require.InDelta(t, len(whole)/16, len(part), float64(len(whole)/16))
			}
			all = append(all, part...)
		}
		require.Equal(t, whole, sorted(all), "%d shards", count)
	}
}

func TestParseShard(t *testing.T) {
	s, err := scan.ParseShard("3/16")
	require.NoError(t, err)
	require.Equal(t, scan.Shard{Index: 3, Count: 16}, s)
	require.Equal(t, "3/16", s.String())
	require.Equal(t, "1/1", scan.Shard{}.String())
	for _, text := range []string{"", "3", "0/16", "17/16", "-1/2", "1/0", "1/70000", "a/b", "1/2/3"} {
		_, err := scan.ParseShard(text)
		require.Error(t, err, text)
	}
	var errs []error
	for _, err := range scan.Endpoints(t.Context(), scan.Args(mixed), probers(nil), &scan.EndpointOptions{Shard: scan.Shard{Index: 3, Count: 2}}) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 1)
	require.EqualError(t, errs[0], "shard 3/2: shards are numbered from 1/N to N/N, N at most 65536")
}

func TestExclude(t *testing.T) {
	x, err := scan.Exclude(t.Context(), scan.Args([]string{
		"192.0.2.0/25", "192.0.2.128/26", "192.0.2.255", "[2001:db8::/64]", "::ffff:198.51.100.0/120", "ftp.example.net",
	}), zone)
	require.NoError(t, err)
	o := &scan.EndpointOptions{Resolver: zone, Exclude: x, InOrder: true}
	require.Equal(t, []string{"ftp 192.0.2.192:21 ", "ftp 192.0.2.193:21 "}, targets(t, scan.Args([]string{"192.0.2.0/24:21"}), o)[:2])
	require.Len(t, targets(t, scan.Args([]string{"192.0.2.0/24:21"}), o), 63)
	require.Empty(t, targets(t, scan.Args([]string{"ftp.example.net", "2001:db8::7", "198.51.100.9", "ftp://[::ffff:192.0.2.1]"}), o))
	require.Equal(t, []string{"ftp 198.51.101.0:21 no"}, targets(t, scan.Args([]string{"ftp://198.51.101.0"}), o))

	for text, want := range map[string]string{
		"192.0.2.7:21":       "an exclusion is an address, a range or a name, without a port: all of a host is left alone",
		"ftp://192.0.2.7":    "an exclusion is an address, a range or a name, without a port: all of a host is left alone",
		"[2001:db8::7]:21":   "an exclusion is an address, a range or a name, without a port: all of a host is left alone",
		"192.0.2.0/33":       "not a range: write an address and the number of its leading bits, such as 192.0.2.0/24 or 2001:db8::/120",
		"nosuch.example.net": "the name doesn't resolve: check its spelling, or give an address",
	} {
		_, err := scan.Exclude(t.Context(), scan.Args([]string{text}), zone)
		require.EqualError(t, err, fmt.Sprintf("argument 1: %q: %s", text, want))
	}
	all, err := scan.Exclude(t.Context(), scan.Args([]string{"0.0.0.0/0"}), zone)
	require.NoError(t, err)
	require.Empty(t, targets(t, scan.Args([]string{"255.255.255.252/31:21"}), &scan.EndpointOptions{Exclude: all}))
}

// A name may resolve to an address of this link, with a zone: the address is left alone whatever the zone.
func TestExcludeZones(t *testing.T) {
	for _, text := range []string{"printer.example.net", "fe80::7%eth1", "fe80::/64"} {
		x, err := scan.Exclude(t.Context(), scan.Args([]string{text}), linkLocal{})
		require.NoError(t, err)
		require.True(t, x.Holds(netip.MustParseAddr("fe80::7%eth0")), text)
		require.True(t, x.Holds(netip.MustParseAddr("fe80::7")), text)
	}
}

type linkLocal struct{}

func (linkLocal) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("fe80::7%eth0")}, nil
}

func TestNamesAreLookedUpOnce(t *testing.T) {
	c := &counting{names: zone, n: make(chan string, 100)}
	list := []string{"ftp.example.net", "bücher.example", "ftp.example.net:21", "smtp://ftp.example.net"}
	all := targets(t, scan.Args(list), &scan.EndpointOptions{Resolver: c})
	require.Len(t, all, 2*9+9+2+2)
	close(c.n)
	var looked []string
	for name := range c.n {
		looked = append(looked, name)
	}
	require.Equal(t, []string{"ftp.example.net", "xn--bcher-kva.example"}, sorted(looked))
}

type counting struct {
	names
	n chan string
}

func (c *counting) LookupNetIP(ctx context.Context, network, host string) (a []netip.Addr, err error) {
	c.n <- host
	return c.names.LookupNetIP(ctx, network, host)
}

// A host's endpoints come near each other: the first host of a network is done within a tenth of the scan, and its endpoints
// don't come one right after the other. Asked to, they are spread over all of it.
func TestHostsAreDoneEarly(t *testing.T) {
	first := func(network string, spread bool) (done, all int) {
		seen := map[string]int{}
		for e := range scan.Endpoints(t.Context(), scan.Args([]string{network}), probers(nil), &scan.EndpointOptions{Spread: spread}) {
			all++
			host := e.Target.Addr.Addr().String()
			if seen[host]++; seen[host] == e.Endpoints && done == 0 {
				done = all
			}
		}
		return done, all
	}
	for _, network := range []string{"192.0.2.0/26", "192.0.2.0/24", "10.0.0.0/20"} {
		done, all := first(network, false)
		require.Less(t, done, all/10, network)
		require.Greater(t, done, 9, "%s: a host isn't asked all at once", network)
		done, all = first(network, true)
		require.Greater(t, done, all/10, network)
	}
}

// Hosts without a port are asked where the options say.
func TestPortsOfHosts(t *testing.T) {
	o := &scan.EndpointOptions{InOrder: true, Ports: []uint16{21, 2121}}
	both := scan.Args([]string{"192.0.2.7", "192.0.2.7:990"})
	require.Equal(t, []string{"ftp 192.0.2.7:21 ", "unknown 192.0.2.7:2121 ", "ftp 192.0.2.7:990 "}, describe(scan.Endpoints(t.Context(), both, handclasp.Probers(), o)))
	endpoints, _ := scan.Count(both, handclasp.Probers(), o)
	require.EqualValues(t, 3, endpoints)
	o.NoDetection = true
	require.Contains(t, describe(scan.Endpoints(t.Context(), scan.Args([]string{"192.0.2.7"}), probers(nil), o))[0], "no protocol lives on port 2121")
}

// What an exclusion is written as holds the same addresses.
func TestExclusionString(t *testing.T) {
	x, err := scan.Exclude(t.Context(), scan.Args([]string{"192.0.2.0/25", "192.0.2.128", "198.51.100.7", "2001:db8::/64", "ftp.example.net", "0.0.0.0/3", "255.255.255.255"}), zone)
	require.NoError(t, err)
	again, err := scan.Exclude(t.Context(), scan.Lines(t.Context(), "list", strings.NewReader(x.String())), nil)
	require.NoError(t, err, x.String())
	require.Equal(t, x, again)
	require.Contains(t, x.String(), "192.0.2.0/25\n192.0.2.128/32\n198.51.100.7/32\n")
	require.Empty(t, (*scan.Exclusion)(nil).String())
}
