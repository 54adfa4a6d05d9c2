package scan_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run scans a range with probes that do as run says.
func run(ctx context.Context, target string, o *scan.Options, probe func(context.Context, *probe.Session) error) iter.Seq2[scan.Result, error] {
	return scan.Run(ctx, scan.Endpoints(ctx, scan.Args([]string{target}), probers(probe), inOrder), o)
}

func TestRunProbesEachEndpointOnce(t *testing.T) {
	seen := map[string]int{}
	for r, err := range run(t.Context(), "192.0.2.0/24", nil, nil) {
		require.NoError(t, err)
		require.Equal(t, probe.OutcomeOK, r.Outcome)
		require.Equal(t, r.Endpoint.Target, r.Target)
		require.Equal(t, "192.0.2.0/24", r.Endpoint.Input.Text)
		seen[r.Target.String()]++
	}
	require.Len(t, seen, 256*9)
	for target, n := range seen {
		require.Equal(t, 1, n, target)
	}
}

func TestConcurrencyIsBoundedAndUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		start := time.Now()
		n := 0
		for range run(t.Context(), "192.0.2.0/24:21", &scan.Options{Concurrency: 16}, func(context.Context, *probe.Session) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return nil
		}) {
			n++
		}
		require.Equal(t, 256, n)
		require.EqualValues(t, 16, most.Load())
		require.Equal(t, 16*time.Second, time.Since(start))
	})
}

func TestResultsComeAsTheyAreDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var order []uint16
		for r, err := range run(t.Context(), "192.0.2.7", &scan.Options{PerHost: 9}, func(_ context.Context, s *probe.Session) error {
			time.Sleep(time.Duration(s.Target().Addr.Port()) * time.Millisecond)
			return nil
		}) {
			require.NoError(t, err)
			order = append(order, r.Target.Addr.Port())
			require.Equal(t, time.Duration(r.Target.Addr.Port())*time.Millisecond, time.Since(start))
		}
		require.Equal(t, []uint16{21, 25, 119, 433, 465, 563, 587, 990, 2525}, order)
	})
}

func TestEndOfContextKeepsWhatWasLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		outcomes := map[probe.Outcome]int{}
		for r, err := range run(ctx, "192.0.2.0/24:21", &scan.Options{Concurrency: 10}, func(ctx context.Context, s *probe.Session) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}) {
			require.NoError(t, err)
			require.NotNil(t, r.Evidence)
			outcomes[r.Outcome]++
		}
		require.Equal(t, map[probe.Outcome]int{probe.OutcomeOK: 20, probe.OutcomeTimeout: 10}, outcomes)
	})
}

func TestBreakingOffEndsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		for range run(t.Context(), "192.0.2.0/24", nil, func(ctx context.Context, s *probe.Session) error {
			running.Add(1)
			defer running.Add(-1)
			if s.Target().Addr.Port() != 21 {
				<-ctx.Done()
			}
			return nil
		}) {
			break
		}
		require.Zero(t, running.Load())
	})
}

func TestSlowConsumerHoldsTheScanBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done atomic.Int64
		taken := 0
		for range run(t.Context(), "192.0.2.0/24:21", &scan.Options{Concurrency: 4}, func(context.Context, *probe.Session) error {
			done.Add(1)
			return nil
		}) {
			taken++
			synctest.Wait()
			require.LessOrEqual(t, done.Load(), int64(taken+4))
		}
		require.Equal(t, 256, taken)
	})
}

func TestErrorsOfTheSourcePassThrough(t *testing.T) {
	broken := errors.New("broken")
	inputs := func(yield func(scan.Input, error) bool) {
		_ = yield(scan.Input{}, broken) && yield(scan.Input{Text: "ftp://192.0.2.7"}, nil)
	}
	var errs []error
	n := 0
	for r, err := range scan.Run(t.Context(), scan.Endpoints(t.Context(), inputs, probers(nil), inOrder), nil) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		require.NotNil(t, r.Result)
		n++
	}
	require.Equal(t, []error{broken}, errs)
	require.Equal(t, 1, n)
}

func TestImplicitTLSReachesTheProber(t *testing.T) {
	for target, want := range map[string]bool{"ftp://192.0.2.7:990": false, "ftps://192.0.2.7:21": true, "192.0.2.7:990": true, "192.0.2.7:21": false} {
		for r, err := range run(t.Context(), target, nil, func(_ context.Context, s *probe.Session) error {
			if s.ImplicitTLS() != want {
				return fmt.Errorf("implicit TLS: %v", s.ImplicitTLS())
			}
			return nil
		}) {
			require.NoError(t, err)
			require.NoError(t, r.Err, target)
		}
	}
}

func TestLines(t *testing.T) {
	list := "\uFEFFftp.example.net\n\n  # remark\n#remark\n192.0.2.7:21 # the old one\r\nftp://x#y\n"
	var got []string
	for in, err := range scan.Lines(t.Context(), "hosts.txt", strings.NewReader(list)) {
		require.NoError(t, err)
		got = append(got, in.Place+" "+in.Text)
	}
	require.Equal(t, []string{"hosts.txt:1 ftp.example.net", "hosts.txt:5 192.0.2.7:21", "hosts.txt:6 ftp://x#y"}, got)

}

// A line that is too long is one bad line, however long it is, and the others are read.
func TestLongLines(t *testing.T) {
	fits := strings.Repeat("x", 4096)
	for _, end := range []string{"\n", "\r\n"} {
		list := strings.Join([]string{"a", fits, fits + "y", "b", strings.Repeat("z", 1<<20), "c", fits + "yy", fits + "yyy"}, end)
		var got []string
		for in, err := range scan.Lines(t.Context(), "hosts.txt", strings.NewReader(list)) {
			if err != nil {
				got = append(got, err.Error())
				continue
			}
			got = append(got, in.Place+" "+in.Text)
		}
		const long = ": the line is longer than 4096 bytes: write one target a line"
		require.Equal(t, []string{
			"hosts.txt:1 a", "hosts.txt:2 " + fits, "hosts.txt:3" + long, "hosts.txt:4 b", "hosts.txt:5" + long, "hosts.txt:6 c", "hosts.txt:7" + long, "hosts.txt:8" + long,
		}, got)
	}
}

// A list that can't be read to its end isn't finished; one with a line that can't be used is.
func TestListsThatAreFinished(t *testing.T) {
	for name, tc := range map[string]struct {
		list     io.Reader
		finished bool
	}{
		"a long line at the end": {strings.NewReader("192.0.2.7:21\n" + strings.Repeat("x", 5000)), true},
		"a bad line at the end":  {strings.NewReader("192.0.2.7:21\nx://y\n"), true},
		"an error":               {io.MultiReader(strings.NewReader("192.0.2.7:21\n"), iotest.ErrReader(errors.New("bad sector"))), false},
	} {
		t.Run(name, func(t *testing.T) {
			journal := new(scan.Journal)
			inputs := scan.Concat(scan.Lines(t.Context(), "one", tc.list), scan.Lines(t.Context(), "two", strings.NewReader("192.0.2.8:21\n")))
			for e, err := range scan.Endpoints(t.Context(), inputs, probers(nil), &scan.EndpointOptions{Journal: journal}) {
				if err == nil {
					journal.Done(scan.Result{Result: &probe.Result{}, Endpoint: e}, 0)
				}
			}
			s := journal.State()
			require.EqualValues(t, 2, s.Done)
			require.Equal(t, tc.finished, s.Finished)
		})
	}
}

// What isn't public is left alone, whether an address, a range or a name says it.
func TestPublicOnly(t *testing.T) {
	r := resolver{"mixed.example.net": {"10.1.2.3", "192.0.2.9", "::1", "2001:db8::9"}, "inside.example.net": {"127.0.0.1"}}
	targets := []string{"127.0.0.1:21", "[::1]:21", "192.0.2.7:21", "192.168.0.0/30:21", "9.255.255.254/31:21", "169.254.169.254:21", "mixed.example.net:21", "inside.example.net:21"}
	o := scan.EndpointOptions{Resolver: r, InOrder: true, PublicOnly: true, Journal: new(scan.Journal)}
	var got []string
	for e, err := range scan.Endpoints(t.Context(), scan.Args(targets), probers(nil), &o) {
		require.NoError(t, err)
		got = append(got, e.Target.Addr.String())
		o.Journal.Done(scan.Result{Result: &probe.Result{}, Endpoint: e}, 0)
	}
	require.Equal(t, []string{"192.0.2.7:21", "9.255.255.254:21", "9.255.255.255:21", "192.0.2.9:21", "[2001:db8::9]:21"}, got)
	state := o.Journal.State()
	require.True(t, state.Finished)
	o.PublicOnly = false
	require.ErrorContains(t, state.Check(probers(nil), &o), "it began with public-only true, and this is false")
}

type resolver map[string][]string

func (r resolver) LookupNetIP(_ context.Context, _, host string) (all []netip.Addr, err error) {
	for _, text := range r[host] {
		all = append(all, netip.MustParseAddr(text))
	}
	return all, nil
}

func TestSilentListDoesNotHoldUpTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	defer w.Close()
	go fmt.Fprintln(w, "ftp://192.0.2.7")
	for res, err := range scan.Run(ctx, scan.Endpoints(ctx, scan.Lines(ctx, "-", r), probers(nil), inOrder), nil) {
		require.NoError(t, err)
		require.Equal(t, "-:1", res.Endpoint.Input.Place)
		cancel() // nothing more was written, and nothing was closed
	}
}

// mostHeap is the most memory in use while results are taken.
func mostHeap(results iter.Seq2[scan.Result, error], every int) (most uint64, n int) {
	for range results {
		if n++; n%every == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	return most, n
}

func TestMemoryDoesNotGrowWithTheTargets(t *testing.T) {
	heap := func(target string, want int) uint64 {
		j := new(scan.Journal)
		endpoints := scan.Endpoints(t.Context(), scan.Args([]string{target}), probers(nil), &scan.EndpointOptions{Journal: j})
		done := func(yield func(scan.Result, error) bool) {
			for r, err := range scan.Run(t.Context(), endpoints, &scan.Options{Journal: j}) {
				j.Done(r, 0)
				yield(r, err)
			}
		}
		most, n := mostHeap(done, want/10)
		require.Equal(t, want, n)
		return most
	}
	small, large := heap("192.0.2.0/19:21", 1<<13), heap("192.0.2.0/14:21", 1<<18) // both beyond what is looked ahead
	require.Less(t, large, small+12<<20)                                           // 50 bytes an endpoint that stayed would be more
}

// A list of two hundred thousand lines takes no more memory than one of twenty thousand, names and ranges included. Both
// are beyond what is looked ahead; how much of that is alive at the moment of a count is chance.
func TestMemoryDoesNotGrowWithTheList(t *testing.T) {
	heap := func(lines int) uint64 {
		path := filepath.Join(t.TempDir(), "list")
		text := new(strings.Builder)
		for i := range lines {
			switch i % 4 {
			case 0:
				fmt.Fprintf(text, "host%d.example.net:21\n", i)
			case 1:
				fmt.Fprintf(text, "10.%d.%d.%d:21\n", i>>16, i>>8&255, i&255)
			case 2:
				fmt.Fprintf(text, "[2001:db8::%x]:25\n", i)
			case 3:
				fmt.Fprintf(text, "192.0.2.7,www%d.example.net,tag,21\n", i)
			}
		}
		require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
		text = nil
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		inputs := scan.Lines(t.Context(), "list", f)
		results := scan.Run(t.Context(), scan.Endpoints(t.Context(), inputs, probers(nil), &scan.EndpointOptions{Resolver: everywhere{}}), nil)
		most, n := mostHeap(results, lines/10)
		require.Equal(t, lines, n)
		return most
	}
	small, large := heap(20_000), heap(200_000)
	t.Logf("20,000: %d KiB, 200,000: %d KiB", small>>10, large>>10)
	require.Less(t, large, small+12<<20) // 70 bytes a line that stayed would be more
}

// everywhere is a resolver that knows all names.
type everywhere struct{}

func (everywhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("198.51.100.7")}, nil
}

func BenchmarkRun(b *testing.B) {
	n := 0
	for range run(b.Context(), "10.0.0.0/8:21", &scan.Options{Concurrency: 1000, Rate: 1e6, Retries: 1}, nil) {
		if n++; n > b.N {
			break
		}
	}
}
