package scan_test

import (
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

func TestHostSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(calls)
		o := &scan.Options{HostSpacing: time.Second, PerHost: 16, Probe: probe.Options{Dial: c.dial}}
		start := time.Now()
		require.Len(t, consume(t, t.Context(), "10.0.0.0/26", o, opens(2, 0)), 64*9)
		require.Len(t, c.to, 64)
		for _, at := range c.to {
			require.Len(t, at, 18)
			for i := range at[1:] {
				require.GreaterOrEqual(t, at[i+1].Sub(at[i]), time.Second)
			}
		}
		require.Less(t, time.Since(start), 30*time.Second, "hosts are visited side by side")
	})
}

// Into one network there is a time between two calls, whoever is called, while others are visited side by side; hosts have theirs, too.
func TestNetSpacing(t *testing.T) {
	for name, o := range map[string]scan.Options{
		"networks alone": {},
		"and hosts":      {HostSpacing: time.Second},
		"and a rate":     {Rate: 40},
		"few places":     {Concurrency: 2},
		"tries":          {Retries: 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &calls{err: func(n int) error {
				if o.Retries > 0 && n < 3 {
					return syscall.EHOSTUNREACH
				}
				return syscall.ECONNREFUSED
			}}
			o.NetSpacing, o.PerHost, o.Probe.Dial = 100*time.Millisecond, 16, c.dial
			start := time.Now()
			networks := []string{"192.0.2.16/28", "192.0.2.240/28", "198.51.100.0/28", "[2001:db8::/124]", "[2001:db8::1:0:0:0/124]", "[2001:db8:0:1::/124]"}
			n := 0
			endpoints := scan.Endpoints(t.Context(), scan.Args(networks), probers(opens(2, 30*time.Millisecond)), nil)
			for _, err := range scan.Run(t.Context(), endpoints, &o) {
				require.NoError(t, err)
				n++
			}
			require.Equal(t, 6*16*9, n)
			into := map[string][]time.Time{}
			for host, at := range c.to {
				bits := 64
				if host.Is4() {
					bits = 24
				}
				network, err := host.Prefix(bits)
				require.NoError(t, err)
				into[network.String()] = append(into[network.String()], at...)
				slices.SortFunc(at, time.Time.Compare)
				for i := range at[1:] {
					require.GreaterOrEqual(t, at[i+1].Sub(at[i]), o.HostSpacing, name)
				}
			}
			require.Len(t, into, 4)
			for network, at := range into {
				slices.SortFunc(at, time.Time.Compare)
				for i := range at[1:] {
					require.GreaterOrEqual(t, at[i+1].Sub(at[i]), o.NetSpacing, "%s: %s", name, network)
				}
			}
			if o.Rate == 0 {
				require.Less(t, time.Since(start), 2*time.Duration(len(into["192.0.2.0/24"]))*o.NetSpacing, name)
			}
		})
	}
}
