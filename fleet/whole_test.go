package fleet

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A street of FTP servers inside TLS, all of which have one key.
type street struct{ certificate tls.Certificate }

func (s *street) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		c := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{s.certificate}})
		_, _ = c.Write([]byte("220 hello\r\n"))
	}()
	return client, nil
}

// LookupNetIP knows no name.
func (s *street) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
}

const streetList = `127.64.0.1,one.example,,990
127.64.0.2,two.example,,990
127.64.0.3,three.example,,990
127.64.0.4,four.example,,990
gone.example:990
gone.example
ftp://127.64.0.9/path
127.64.0.1:70000
`

// Many machines report of a list what one does, however often the collector is stopped: findings that take several results, and
// what of the list couldn't be used.
func TestWholeScanIsAsOneMachines(t *testing.T) {
	st := &street{selfsigned.Certificate("one.example")}
	c := newCamp(t)
	s := small()
	s.Targets, s.Shards, s.Lease = nil, 4, time.Minute
	probers, err := s.Options.probers()
	require.NoError(t, err)
	early, last := lastShard(t, s, probers, st)
	require.Positive(t, early)
	require.NoError(t, c.client.Submit(t.Context(), s, strings.NewReader(streetList), nil))
	path := filepath.Join(t.TempDir(), "out.jsonl")
	collect := func(follow bool) (records []finding.Record, footers []*finding.Footer) {
		is, err := c.client.Pick(t.Context(), []string{s.ID})
		require.NoError(t, err)
		for line := range bytes.Lines(c.gather(is, path, follow)) {
			e, err := finding.DecodeEntry(line, Readers()...)
			require.NoError(t, err)
			if e.Footer != nil {
				footers = append(footers, e.Footer)
			} else if e.Result != nil {
				records = append(records, e.Record)
			}
		}
		return records, footers
	}
	// Who comes to the last shard leaves: by then the others are done.
	ready := make(chan *hand, 1)
	leaves := c.worker(Worker{Resolver: st, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == last {
			(<-ready).stop()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return st.dial(ctx, network, address)
	}})
	ready <- leaves
	leaves.done.Wait()
	records, footers := collect(false)
	require.Empty(t, footers)
	require.GreaterOrEqual(t, len(records), early)
	require.Less(t, len(records), 4)

	c.worker(Worker{Dial: st.dial, Resolver: st})
	records, footers = collect(true)
	require.Len(t, records, 4)
	again, _ := collect(true)
	require.Len(t, again, 4)

	require.Len(t, footers, 1)
	require.True(t, footers[0].Complete)
	require.EqualValues(t, 4, footers[0].Unusable)
	require.Equal(t, []string{"gone.example", "gone.example"}, footers[0].Unresolved)

	var alone []finding.Record
	journal := new(scan.Journal)
	for r, err := range handclasp.Scan(t.Context(), nil, &handclasp.Options{
		Probers: probers, Inputs: scan.Lines(t.Context(), "the list", strings.NewReader(streetList)),
		Order: scan.EndpointOptions{Resolver: st, NoDetection: true}, Scan: scan.Options{Journal: journal, Probe: probe.Options{Level: s.Level, Dial: st.dial}},
	}) {
		if err == nil {
			alone = append(alone, r)
		}
	}
	require.Equal(t, counted(alone), counted(records))
	require.Equal(t, 3, counted(records)["tls.shared-key"])
	require.Equal(t, footers[0].Unusable, journal.Progress().Unusable)
}

// lastShard returns an endpoint of the last shard that has any, and how many there are in those before.
func lastShard(t *testing.T, s *Scan, probers []probe.Prober, r scan.Resolver) (before int, last string) {
	total, of := 0, 0
	for k := 1; k <= s.Shards; k++ {
		order := s.order(scan.Shard{Index: k, Count: s.Shards}, nil, nil)
		order.Resolver = r
		n := 0
		for e, err := range scan.Endpoints(t.Context(), scan.Lines(t.Context(), "the list", strings.NewReader(streetList)), probers, order) {
			if err == nil {
				last = e.Target.Addr.String()
				n++
			}
		}
		if total += n; n > 0 {
			of = n
		}
	}
	return total - of, last
}

// counted counts findings by rule.
func counted(records []finding.Record) map[string]int {
	n := map[string]int{}
	for _, r := range records {
		for _, f := range r.Findings {
			n[f.ID]++
		}
	}
	return n
}
