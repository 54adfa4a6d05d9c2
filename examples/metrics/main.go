// Command metrics scans targets and serves how far it has come to Prometheus (/metrics) and expvar (/debug/vars).
//
//	go run ./examples/metrics 127.0.0.1:9100 192.0.2.0/24
//
// It ends with the scan.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// handler serves a journal's numbers.
func handler(j *scan.Journal) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		writeMetrics(w, j.Progress())
	})
	// To have them among the variables of a whole program: expvar.Publish("handclasp", vars(j)).
	mux.HandleFunc("GET /debug/vars", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprintf(w, "{\"handclasp\": %s}\n", vars(j))
	})
	return mux
}

// vars is an expvar.Var.
func vars(j *scan.Journal) expvar.Func {
	return func() any { return j.Progress() }
}

// writeMetrics writes Prometheus's text format. What isn't known is left out.
func writeMetrics(w io.Writer, p scan.Progress) {
	metric := func(name, kind, help string, value float64) {
		fmt.Fprintf(w, "# HELP handclasp_%s %s\n# TYPE handclasp_%s %s\nhandclasp_%s %v\n", name, help, name, kind, name, value)
	}
	if p.Total >= 0 {
		metric("endpoints", "gauge", "Endpoints in all.", float64(p.Total))
	}
	metric("endpoints_done_total", "counter", "Endpoints that are done.", float64(p.Done))
	metric("endpoints_open_total", "counter", "Endpoints where somebody answered the call.", float64(p.Open))
	metric("findings_total", "counter", "Findings.", float64(p.Findings))
	metric("inputs_unusable_total", "counter", "Inputs that can't be used.", float64(p.Unusable))
	metric("endpoints_in_flight", "gauge", "Endpoints that are being probed.", float64(p.InFlight))
	metric("endpoints_per_second", "gauge", "Endpoints done a second, over the last ten seconds.", p.Rate)
	if p.Left >= 0 {
		metric("left_seconds", "gauge", "Time until the end at that rate.", p.Left.Seconds())
	}
}

func run(ctx context.Context, args []string, dial probe.DialFunc, stdout io.Writer) error {
	if len(args) < 2 {
		return errors.New("usage: metrics LISTEN-ADDRESS TARGET [TARGET]")
	}
	journal := new(scan.Journal)
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(journal), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	defer server.Close()

	total, _ := scan.Count(scan.Args(args[1:]), handclasp.Probers(), nil)
	journal.SetTotal(total)
	options := &handclasp.Options{Scan: scan.Options{Rate: 200, Probe: probe.Options{Dial: dial}, Journal: journal}}
	for _, err := range handclasp.Scan(ctx, args[1:], options) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "metrics:", err)
		}
	}
	return json.NewEncoder(stdout).Encode(journal.Progress())
}

func main() {
	if err := run(context.Background(), os.Args[1:], nil, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}
