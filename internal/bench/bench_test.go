package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smtp"
)

var (
	inFlight = flag.Int("inflight", 1000, "probes in flight")
	total    = flag.Int("total", 4000, "probes in a measurement")
	pairs    = flag.Int("pairs", 5, "measurements of each client; the median counts")
	delay    = flag.Duration("delay", 0, "how long the server thinks before a reply")
)

// role is the environment variable that makes the test binary a server or a client.
const role = "HANDCLASP_BENCH_ROLE"

func TestMain(m *testing.M) {
	flag.Parse()
	switch name := os.Getenv(role); name {
	case "":
		os.Exit(m.Run())
	case "server":
		runServer(*delay)
	default:
		if err := runClient(name, flag.Args()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// A conversation that is measured.
type conversation struct {
	prober probe.Prober
	server string // the name of a script of the server
	level  probe.Level
}

func (c conversation) options() *probe.Options {
	return &probe.Options{Level: c.level, Chains: &chains}
}

// chains are remembered over all probes, as a scan does.
var chains probe.Chains

var cases = map[string]conversation{
	"greeting":      {prober: ftp.Prober{}, server: "ftp", level: probe.LevelGreeting},
	"ftp cleartext": {prober: ftp.Prober{}, server: "ftp"},
	"ftp TLS":       {prober: ftp.Prober{}, server: "ftp tls"},
	"smtp STARTTLS": {prober: smtp.Prober{}, server: "smtp tls"},
}

func BenchmarkHandshake(b *testing.B) {
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range cases {
			if !yield(name) {
				return
			}
		}
	}) {
		b.Run(name, func(b *testing.B) {
			addr := startServer(b, cases[name].server)
			for b.Loop() {
				compare(b, name, addr)
			}
			b.ReportMetric(0, "ns/op") // the ratios count
		})
	}
}

// usage is what one client process cost.
type usage struct {
	CPU     time.Duration // user and system time of the whole process
	Wall    time.Duration
	Mallocs uint64 // during the probes
	Bytes   uint64 // allocated during the probes
	Live    uint64 // peak of heap objects and stacks, sampled
	RSS     uint64 // peak of the whole process
	Busy    int    // most probes in flight at once
}

func compare(b *testing.B, name, addr string) {
	var probes, bares []usage
	for range *pairs {
		probes = append(probes, client(b, "probe", name, addr))
		bares = append(bares, client(b, "bare", name, addr))
	}
	ratio := func(f func(usage) float64) float64 {
		ratios := make([]float64, len(probes))
		for i := range probes {
			ratios[i] = f(probes[i]) / f(bares[i])
		}
		return median(ratios)
	}
	n := float64(*total)
	cpu := func(u usage) float64 { return float64(u.CPU) }
	mallocs := func(u usage) float64 { return float64(u.Mallocs) }
	b.ReportMetric(ratio(cpu), "cpu-ratio")
	b.ReportMetric(ratio(mallocs), "allocs-ratio")
	b.ReportMetric(ratio(func(u usage) float64 { return float64(u.Bytes) }), "bytes-ratio")
	b.ReportMetric(ratio(func(u usage) float64 { return float64(u.Live) }), "live-ratio")
	b.ReportMetric(ratio(func(u usage) float64 { return float64(u.RSS) }), "rss-ratio")
	b.ReportMetric(ratio(func(u usage) float64 { return float64(u.Wall) }), "wall-ratio")
	b.ReportMetric(medianOf(probes, cpu)/n/1000, "probe-cpu-us")
	b.ReportMetric(medianOf(bares, cpu)/n/1000, "bare-cpu-us")
	b.ReportMetric(medianOf(probes, mallocs)/n, "probe-allocs")
	b.ReportMetric(medianOf(bares, mallocs)/n, "bare-allocs")
	b.ReportMetric(medianOf(probes, func(u usage) float64 { return float64(u.RSS) / (1 << 20) }), "probe-rss-MiB")
	b.ReportMetric(medianOf(bares, func(u usage) float64 { return float64(u.RSS) / (1 << 20) }), "bare-rss-MiB")
	b.ReportMetric(medianOf(probes, func(u usage) float64 { return float64(u.Busy) }), "in-flight")
}

func medianOf(all []usage, f func(usage) float64) float64 {
	values := make([]float64, len(all))
	for i, u := range all {
		values[i] = f(u)
	}
	return median(values)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func self(role_ string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{
		"-inflight", strconv.Itoa(*inFlight), "-total", strconv.Itoa(*total), "-delay", delay.String()}, args...)...)
	cmd.Env = append(os.Environ(), role+"="+role_)
	cmd.Stderr = os.Stderr
	return cmd
}

func client(tb testing.TB, kind, name, addr string) (u usage) {
	cmd := self(kind, name, addr)
	out, err := cmd.Output()
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(out, &u), string(out))
	u.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.RSS = uint64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) << 10
	return u
}

func startServer(tb testing.TB, script string) (addr string) {
	cmd := self("server", script)
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	in, err := cmd.StdinPipe() // its end is the server's sign to stop
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line := make([]byte, 64)
	n, err := out.Read(line)
	require.NoError(tb, err)
	return strings.TrimSpace(string(line[:n]))
}

// The benchmark's own correctness: both clients hold the whole conversation.
func TestClientsHoldTheConversation(t *testing.T) {
	*total, *inFlight, *delay = 20, 10, 0
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			addr := startServer(t, c.server)
			require.Positive(t, client(t, "probe", name, addr).Mallocs)
			require.Positive(t, client(t, "bare", name, addr).Mallocs)
		})
	}
}
