package scan_test

import (
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// If what is made of results takes the machine's time, servers that are slower than others don't lose their places: more probes
// would make it busier still.
func TestBusyMachineMovesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{drips: tenth}
		work := func(r scan.Result) scan.Result {
			time.Sleep(30 * time.Second)
			return r
		}
		n, most := int64(0), int64(0)
		endpoints := scan.Endpoints(t.Context(), scan.Args([]string{"10.0.0.0/22:21"}), probers(c.visit), inOrder)
		for range scan.Map(t.Context(), endpoints, &scan.Options{Concurrency: 16}, work) {
			if n++; n > 64 { // by then it is known
				most = max(most, c.begun.Load()-n)
			}
		}
		require.EqualValues(t, 1024, n)
		require.LessOrEqual(t, most, int64(16))
	})
}

// If nobody takes what is made of results, it is made of a few and no more: the others wait as results.
func TestMapMakesNoMoreThanIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		work := func(r scan.Result) scan.Result {
			made.Add(1)
			return r
		}
		endpoints := scan.Endpoints(t.Context(), scan.Args([]string{"10.0.0.0/22:21"}), probers(nil), nil)
		taken := int64(0)
		for range scan.Map(t.Context(), endpoints, &scan.Options{Concurrency: 256}, work) {
			if taken++; taken == 64 {
				time.Sleep(time.Hour)
				synctest.Wait()
				require.LessOrEqual(t, made.Load()-taken, int64(max(16, runtime.GOMAXPROCS(0))))
			}
		}
		require.EqualValues(t, 1024, taken)
		require.EqualValues(t, 1024, made.Load())
	})
}
