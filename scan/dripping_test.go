package scan_test

import (
	"bufio"
	"context"
	"flag"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// The benchmark's flags, behind -args.
var (
	dripInFlight = flag.Int("inflight", 200, "Concurrency of the scan")
	dripDelay    = flag.Duration("delay", 20*time.Millisecond, "how long a server thinks before a reply")
	dripTotal    = flag.Duration("total", 6*time.Second, "Limits.Total: how long a server may drip")
	dripMeasured = flag.Duration("measured", 10*time.Second, "for how long is measured, once as many drippers end as begin")
)

// BenchmarkDripping compares how many FTP servers a scan is done with a second when one in ten drips a byte a second for as
// long as it may, and when none does.
func BenchmarkDripping(b *testing.B) {
	for b.Loop() {
		none, _, _ := throughput(b, 0, 0)
		tenth, under, heap := throughput(b, 10, 0)
		held, _, _ := throughput(b, 10, -1)
		b.ReportMetric(none, "servers/s")
		b.ReportMetric(tenth, "dripping-servers/s")
		b.ReportMetric(tenth/none, "ratio")
		b.ReportMetric(held/none, "ratio-without-lane")
		b.ReportMetric(under, "in-flight")
		b.ReportMetric(heap/(1<<20), "heap-MiB")
	}
	b.ReportMetric(0, "ns/op")          // the ratio counts
	time.Sleep(1100 * time.Millisecond) // until the last dripper has seen that nobody listens
}

// throughput is how many endpoints are done a second; and at the end, how many are under way, and the heap with all the
// servers in it.
func throughput(b *testing.B, every, lane int) (rate, under, heap float64) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	j := new(scan.Journal)
	var done atomic.Int64
	go func() {
		time.Sleep(*dripTotal + *dripTotal/4)
		before, start := done.Load(), time.Now()
		time.Sleep(*dripMeasured)
		rate = float64(done.Load()-before) / time.Since(start).Seconds()
		under = float64(j.Progress().InFlight)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		heap = float64(m.HeapAlloc + m.StackInuse)
		cancel()
	}()
	o := &scan.Options{
		Concurrency: *dripInFlight, SlowLane: lane, Journal: j,
		Probe: probe.Options{Dial: simulated(every), Limits: probe.Limits{Total: *dripTotal}},
	}
	endpoints := scan.Endpoints(ctx, scan.Args([]string{"10.0.0.0/8:21"}), []probe.Prober{ftp.Prober{}}, nil)
	for range scan.Run(ctx, endpoints, o) {
		done.Add(1)
	}
	return rate, under, heap
}

// simulated is a network of FTP servers, of which one of every so many drips.
func simulated(every int) probe.DialFunc {
	return func(_ context.Context, _, address string) (net.Conn, error) {
		near, far := net.Pipe()
		host := netip.MustParseAddrPort(address).Addr().As4()
		if every > 0 && (int(host[1])<<16+int(host[2])<<8+int(host[3]))%every == 0 {
			go drip(far)
		} else {
			go speak(far)
		}
		return near, nil
	}
}

func drip(c net.Conn) {
	defer c.Close()
	for greeting := strings.NewReader("220-" + strings.Repeat("welcome ", 1000)); ; time.Sleep(time.Second) {
		if _, err := io.CopyN(c, greeting, 1); err != nil {
			return
		}
	}
}

func speak(c net.Conn) {
	defer c.Close()
	reply := "220 files.example FTP server ready\r\n"
	replies := map[string]string{"FEAT": "211-Features\r\n UTF8\r\n211 End\r\n", "QUIT": "221 bye\r\n"}
	for lines := bufio.NewScanner(c); ; {
		time.Sleep(*dripDelay)
		if _, err := io.WriteString(c, reply); err != nil || !lines.Scan() {
			return
		}
		verb, _, _ := strings.Cut(lines.Text(), " ")
		known := false
		if reply, known = replies[verb]; !known {
			reply = "500 no\r\n"
		}
	}
}
