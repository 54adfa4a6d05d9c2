package scan_test

import (
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/scan"
)

// What is made of results is made of several at once, each time of one result alone.
func TestMapWorksSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hosts = 8
		var all sync.WaitGroup // until each result is being worked on
		all.Add(hosts)
		work := func(r scan.Result) netip.Addr {
			all.Done()
			all.Wait()
			return r.Target.Addr.Addr()
		}
		made := map[netip.Addr]int{}
		endpoints := scan.Endpoints(t.Context(), scan.Args([]string{"192.0.2.8/29:21"}), probers(nil), nil)
		for addr, err := range scan.Map(t.Context(), endpoints, nil, work) {
			require.NoError(t, err)
			made[addr]++
		}
		require.Len(t, made, hosts)
		for addr, n := range made {
			require.Equal(t, 1, n, addr)
		}
	})
}
