package scan_test

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// probers have the default ports of the real ones, and run what they are given.
func probers(run func(context.Context, *probe.Session) error) []probe.Prober {
	port := func(n uint16, tls bool) probe.Port {
		return probe.Port{Network: probe.TCP, Number: n, ImplicitTLS: tls}
	}
	return []probe.Prober{
		fake{"ftp", []probe.Port{port(21, false), port(990, true)}, run},
		fake{"smtp", []probe.Port{port(25, false), port(587, false), port(2525, false), port(465, true)}, run},
		fake{"nntp", []probe.Port{port(119, false), port(433, false), port(563, true)}, run},
	}
}

type fake struct {
	name  string
	ports []probe.Port
	run   func(context.Context, *probe.Session) error
}

type evidence struct{ Name string }

func (e *evidence) Protocol() string { return e.Name }

func (f fake) Spec() probe.Spec { return probe.Spec{Protocol: f.name, Ports: f.ports} }

func (f fake) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	if f.run == nil {
		return &evidence{f.name}, nil
	}
	return &evidence{f.name}, f.run(ctx, s)
}

// carried speaks inside something else if a scheme or a port says so.
type carried struct {
	fake
	inside string
}

func (c carried) ForScheme(scheme string) probe.Prober {
	c.inside = scheme
	return c
}

// A port's scheme names the way of speaking on any port; without one the port decides.
func TestSchemesOfPorts(t *testing.T) {
	smb := carried{fake: fake{name: "smb", ports: []probe.Port{{Number: 445}, {Number: 139, Scheme: "smb+nbt"}}}}
	ns := fake{name: "netbios", ports: []probe.Port{{Network: probe.UDP, Number: 137, Scheme: "netbios-ns"}}}
	for text, want := range map[string]string{
		"192.0.2.7:139":            "tcp 192.0.2.7:139 \"\"",
		"smb://192.0.2.7:139":      "tcp 192.0.2.7:139 \"\"",
		"smb+nbt://192.0.2.7":      "tcp 192.0.2.7:139 \"smb+nbt\"",
		"SMB+NBT://192.0.2.7:1139": "tcp 192.0.2.7:1139 \"smb+nbt\"",
		"netbios-ns://192.0.2.7":   "udp 192.0.2.7:137",
	} {
		for e, err := range scan.Endpoints(t.Context(), scan.Args([]string{text}), []probe.Prober{smb, ns}, nil) {
			require.NoError(t, err, text)
			got := fmt.Sprintf("%s %v", e.Target.Network, e.Target)
			if c, ok := e.Prober.(carried); ok {
				got += fmt.Sprintf(" %q", c.inside)
			}
			require.Equal(t, want, got, text)
		}
	}
	for _, err := range scan.Endpoints(t.Context(), scan.Args([]string{"netbios://192.0.2.7", "192.0.2.7:1"}), []probe.Prober{smb, ns}, nil) {
		require.ErrorContains(t, err, "netbios-ns")
	}
}

// names is a resolver.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	found, ok := n[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var addrs []netip.Addr
	for _, a := range found {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, nil
}

var zone = names{
	"ftp.example.net":        {"192.0.2.7", "2001:db8::7", "192.0.2.7"},
	"ftp.example.net.":       {"192.0.2.7"},
	"xn--bcher-kva.example":  {"::ffff:192.0.2.9"},
	"nowhere.example.net":    {"0.0.0.0", "224.0.0.1"},
	"_under_score.x.example": {"192.0.2.8"},
}

// inOrder keeps the order of the inputs.
var inOrder = &scan.EndpointOptions{Resolver: zone, InOrder: true}

func describe(seq iter.Seq2[scan.Endpoint, error]) []string {
	all := []string{}
	for e, err := range seq {
		if err != nil {
			all = append(all, "error: "+err.Error())
			continue
		}
		all = append(all, fmt.Sprintf("%s %v %s", e.Prober.Spec().Protocol, e.Target, e.ImplicitTLS))
	}
	return all
}

func endpoints(t *testing.T, text string) []string {
	return describe(scan.Endpoints(t.Context(), scan.Args([]string{text}), probers(nil), inOrder))
}

func TestTargets(t *testing.T) {
	for text, want := range map[string][]string{
		"192.0.2.7": {
			"ftp 192.0.2.7:21 ", "ftp 192.0.2.7:990 ", "smtp 192.0.2.7:25 ", "smtp 192.0.2.7:587 ", "smtp 192.0.2.7:2525 ",
			"smtp 192.0.2.7:465 ", "nntp 192.0.2.7:119 ", "nntp 192.0.2.7:433 ", "nntp 192.0.2.7:563 ",
		},
		"192.0.2.7:465":             {"smtp 192.0.2.7:465 "},
		"[2001:db8::7]:21":          {"ftp [2001:db8::7]:21 "},
		"::ffff:192.0.2.7":          endpoints(t, "192.0.2.7"),
		"[fe80::1%eth0]:119":        {"nntp [fe80::1%eth0]:119 "},
		"nntp://[fe80::1%25eth0]":   {"nntp [fe80::1%eth0]:119 no"},
		"nntp://[fe80::1%eth0]":     {"nntp [fe80::1%eth0]:119 no"},
		"192.0.2.6/31:21":           {"ftp 192.0.2.6:21 ", "ftp 192.0.2.7:21 "},
		"192.0.2.7/30:21":           {"ftp 192.0.2.4:21 ", "ftp 192.0.2.5:21 ", "ftp 192.0.2.6:21 ", "ftp 192.0.2.7:21 "},
		"192.0.2.7/32:21":           {"ftp 192.0.2.7:21 "},
		"255.255.255.252/31:21":     {"ftp 255.255.255.252:21 ", "ftp 255.255.255.253:21 "},
		"[2001:db8::8/127]:25":      {"smtp [2001:db8::8]:25 ", "smtp [2001:db8::9]:25 "},
		"[::ffff:192.0.2.0/127]:25": {"smtp 192.0.2.0:25 ", "smtp 192.0.2.1:25 "},
		"ftp://192.0.2.7":           {"ftp 192.0.2.7:21 no"},
		"FTPS://192.0.2.7/":         {"ftp 192.0.2.7:990 yes"},
		"ftps://192.0.2.7:21":       {"ftp 192.0.2.7:21 yes"},
		"smtp://192.0.2.7:465":      {"smtp 192.0.2.7:465 no"},
		"smtps://[2001:db8::7]":     {"smtp [2001:db8::7]:465 yes"},
		"nntps://[2001:db8::7]:443": {"nntp [2001:db8::7]:443 yes"},
		"ftp://FTP.Example.Net.":    {"error: argument 1: \"ftp://FTP.Example.Net.\": the name doesn't resolve: check its spelling, or give an address"},
		"ftp://ftp.example.net.":    {"ftp ftp.example.net (192.0.2.7:21) no"},
		"ftp.example.net:21":        {"ftp ftp.example.net (192.0.2.7:21) ", "ftp ftp.example.net ([2001:db8::7]:21) "},
		"ftp://192.0.2.6/31:2121":   {"ftp 192.0.2.6:2121 no", "ftp 192.0.2.7:2121 no"},
		"ftp://192.0.2.6/31":        {"ftp 192.0.2.6:21 no", "ftp 192.0.2.7:21 no"},
		"ftp://[2001:db8::/127]:25": {"ftp [2001:db8::]:25 no", "ftp [2001:db8::1]:25 no"},
		"bücher.example:21":         {"ftp xn--bcher-kva.example (192.0.2.9:21) "},
		"_under_score.x.example:21": {"ftp _under_score.x.example (192.0.2.8:21) "},
	} {
		require.Equal(t, want, endpoints(t, text), text)
	}
}

func TestUnusableTargets(t *testing.T) {
	const schemes = "use ftp, ftps, smtp, smtps, nntp or nntps"
	for text, want := range map[string]string{
		"":                    `the target is empty: give a host, an address, a range or a URL`,
		"nosuch.example.net":  `the name doesn't resolve: check its spelling, or give an address`,
		"nowhere.example.net": `the name has no address of a host`,
		"192.0.2.7:0":         `port "0": a port is a number from 1 to 65535`,
		"192.0.2.7:70000":     `port "70000": a port is a number from 1 to 65535`,
		"192.0.2.7:ftp":       `port "ftp": a port is a number from 1 to 65535`,
		"ftp://192.0.2.7:-1":  `port "-1": a port is a number from 1 to 65535`,
		"192.0.2.7:":          `the port is missing behind the colon`,
		":21":                 `the host is missing`,
		"192.0.2.7:2121":      `no protocol lives on port 2121 by default: name it, as in ftp://192.0.2.7:2121, smtp://192.0.2.7:2121 or nntp://192.0.2.7:2121`,
		"[::1]:2121":          `no protocol lives on port 2121 by default: name it, as in ftp://[::1]:2121, smtp://[::1]:2121 or nntp://[::1]:2121`,
		"192.0.2.0/24:2121":   `no protocol lives on port 2121 by default: name it, as in ftp://192.0.2.0/24:2121, smtp://192.0.2.0/24:2121 or nntp://192.0.2.0/24:2121`,
		"gopher://192.0.2.7":  `the scheme "gopher" is unknown: ` + schemes,
		"ftp://":              `the target is empty: give a host, an address, a range or a URL`,
		"ftp://192.0.2.7/pub": `a URL with a path, query or fragment: only ftp://HOST and ftp://HOST:PORT are understood`,
		"ftp://192.0.2.7?x":   `a URL with a path, query or fragment: only ftp://HOST and ftp://HOST:PORT are understood`,
		"192.0.2.0/33":        `not a range: write an address and the number of its leading bits, such as 192.0.2.0/24 or 2001:db8::/120`,
		"example.net/24":      `not a range: write an address and the number of its leading bits, such as 192.0.2.0/24 or 2001:db8::/120`,
		"2001:db8::/64":       `the range holds 18446744073709551616 addresses: scan at most a /104 at once, or list the hosts`,
		"0.0.0.0/0":           `the range holds 4294967296 addresses: scan at most a /8 at once, or list the hosts`,
		"224.0.0.0/24":        `the range holds addresses that aren't of one host: unspecified, multicast or broadcast`,
		"0.0.0.0":             `0.0.0.0 isn't the address of one host: it is unspecified, multicast or broadcast`,
		"ff02::1":             `ff02::1 isn't the address of one host: it is unspecified, multicast or broadcast`,
		"192.0.2.256":         `not an IPv4 address: write four numbers from 0 to 255 without leading zeros, such as 192.0.2.7`,
		"192.0.2.07":          `not an IPv4 address: write four numbers from 0 to 255 without leading zeros, such as 192.0.2.7`,
		"0x7f000001":          `not an IPv4 address: write four numbers from 0 to 255 without leading zeros, such as 192.0.2.7`,
		"2001:db8::7::":       `not an IPv6 address; with a port it is written in brackets, as in [2001:db8::7]:21`,
		"fe80::1%eth0:21":     `"eth0:21" isn't the name of an interface; with a port the address is written in brackets, as in [fe80::1%eth0]:21`,
		"[2001:db8::7":        `a bracket isn't closed: write [2001:db8::7] or [2001:db8::7]:21`,
		"[2001:db8::7]21":     `"21" follows the bracket: write [2001:db8::7] or [2001:db8::7]:21`,
		"[192.0.2.7]":         `brackets hold an IPv6 address, as in [2001:db8::7]:21`,
		"a..example":          `not a host name: between its dots are 1 to 63 characters`,
		"-a.example":          `not a host name: "-a" begins or ends with a hyphen`,
		"a b.example":         `not a host name: it holds ' '; a target is such as ftp.example.net, 192.0.2.7:21 or ftps://192.0.2.7`,
		"a\x1b[2Jb":           `not a host name: it holds '\x1b'; a target is such as ftp.example.net, 192.0.2.7:21 or ftps://192.0.2.7`,
		"a\u202eb.example":    `not a host name: idna: disallowed rune U+202E`,
	} {
		place := fmt.Sprintf("argument 1: %q: ", text)
		if text == "" {
			place = "argument 1: "
		}
		require.Equal(t, []string{"error: " + place + want}, endpoints(t, text), text)
	}
}

func TestUnusableTargetsDoNotStopOthers(t *testing.T) {
	got := describe(scan.Endpoints(t.Context(), scan.Args([]string{"ftp://", "ftp://192.0.2.7", "x://y"}), probers(nil), inOrder))
	require.Len(t, got, 3)
	require.Contains(t, got[0], "argument 1: ")
	require.Contains(t, got[1], "argument 3: ")
	require.Equal(t, "ftp 192.0.2.7:21 no", got[2])
}

func TestEndpointKnowsItsHost(t *testing.T) {
	var hosts []string
	inputs := scan.Args([]string{"ftp.example.net", "192.0.2.0/31:21"})
	for e, err := range scan.Endpoints(t.Context(), inputs, probers(nil), inOrder) {
		require.NoError(t, err)
		hosts = append(hosts, fmt.Sprintf("%s %d/%d %d", e.Input.Text, e.Host, e.Endpoints, e.Address))
	}
	require.Len(t, hosts, 20)
	require.Equal(t, "ftp.example.net 1/9 0", hosts[0])
	require.Equal(t, "ftp.example.net 1/9 1", hosts[17])
	require.Equal(t, "192.0.2.0/31:21 2/1 0", hosts[18])
	require.Equal(t, "192.0.2.0/31:21 3/1 0", hosts[19])
}

func TestCount(t *testing.T) {
	for text, want := range map[string]int{
		"192.0.2.7": 9, "ftp.example.net": 9, "192.0.2.0/24": 256 * 9, "2001:db8::/104:21": 1 << 24, "[2001:db8::/104]:21": 1 << 24,
		"ftp://192.0.2.7": 1, "nonsense://": 0,
	} {
		if text == "2001:db8::/104:21" {
			want = 0 // without brackets it isn't understood
		}
		endpoints, unusable := scan.Count(scan.Args([]string{text}), probers(nil), nil)
		require.EqualValues(t, want, endpoints, text)
		require.Equal(t, want == 0, unusable == 1, text)
	}
}

func FuzzTargets(f *testing.F) {
	for _, s := range []string{"192.0.2.0/30:21", "[2001:db8::/126]:25", "ftps://a.example:1", "fe80::1%eth0", "bücher.example", "[", "::/128"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		for e, err := range scan.Endpoints(t.Context(), scan.Args([]string{text}), probers(nil), inOrder) {
			if err == nil {
				require.True(t, e.Target.Addr.IsValid() && e.Target.Addr.Port() != 0, text)
			}
			if n++; n > 100 {
				break
			}
		}
		require.NotZero(t, n, text)
	})
}

// What somebody takes for a credential isn't repeated: error lines end up in logs.
func TestErrorsHidePasswords(t *testing.T) {
	require.Equal(t, []string{`error: argument 1: "ftp://…@192.0.2.7": a URL with a user name: no credential is ever used; write ftp://HOST`},
		endpoints(t, "ftp://me:secret@192.0.2.7"))
}
