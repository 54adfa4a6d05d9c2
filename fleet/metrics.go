package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// metrics are what /metrics shows, each of a scan.
var metrics = []struct {
	name, kind, help string
	values           func(st *Status, add func(labels string, value int64))
}{
	{"handclasp_fleet_scan_info", "gauge", "1 for the phase that the scan is in: submitted, running, finished, cancelled or failed.",
		func(st *Status, add func(string, int64)) { add(label("phase", string(st.Phase)), 1) }},
	{"handclasp_fleet_endpoints", "gauge", "Endpoints that the scan's targets stand for, from each vantage.",
		func(st *Status, add func(string, int64)) { add("", st.Endpoints) }},
	{"handclasp_fleet_endpoints_done_total", "counter", "Endpoints that are done.",
		ofVantages(func(t Tally) int64 { return t.Done })},
	{"handclasp_fleet_endpoints_open_total", "counter", "Endpoints that are done, and where somebody answered the call.",
		ofVantages(func(t Tally) int64 { return t.Open })},
	{"handclasp_fleet_findings_total", "counter", "Findings, those aside that need several results.",
		ofVantages(func(t Tally) int64 { return t.Findings })},
	{"handclasp_fleet_results_total", "counter", "Results by outcome.", outcomes},
	{"handclasp_fleet_shards", "gauge", "Shards that wait, are worked on, are finished or were given up.",
		func(st *Status, add func(string, int64)) {
			for state, n := range st.Shared() {
				add(label("state", state), int64(n))
			}
		}},
	{"handclasp_fleet_workers", "gauge", "Workers that have shards of the scan.",
		func(st *Status, add func(string, int64)) { add("", int64(len(st.Workers))) }},
	{"handclasp_fleet_set_aside_total", "counter", "Messages and lines among the results that are none, as collectors found.",
		func(st *Status, add func(string, int64)) { add("", st.Aside.Count) }},
	{"handclasp_fleet_stored_bytes", "gauge", "What the server holds of results and progress.",
		func(st *Status, add func(string, int64)) { add("", int64(st.Stored)) }},
	{"handclasp_fleet_stored_bytes_max", "gauge", "What it may hold: workers wait when that is full.",
		func(st *Status, add func(string, int64)) { add("", st.Room) }},
}

func ofVantages(of func(Tally) int64) func(*Status, func(string, int64)) {
	return func(st *Status, add func(string, int64)) {
		for _, vantage := range st.labels() {
			add(label("vantage", vantage), of(st.Vantage[vantage]))
		}
	}
}

func outcomes(st *Status, add func(string, int64)) {
	for _, vantage := range st.labels() {
		counts := st.Vantage[vantage].Outcomes
		for _, outcome := range slices.Sorted(maps.Keys(counts)) {
			add(label("vantage", vantage)+","+label("outcome", string(outcome)), counts[outcome])
		}
	}
}

// label is one of Prometheus. The words are the scan's, or a worker's, who may lie: they are quoted.
func label(name, value string) string { return name + "=" + strconv.Quote(value) }

// Metrics serves how scans are in the text format of Prometheus.
type Metrics struct {
	nc *nats.Conn

	mu    sync.Mutex
	ended map[string]*Status // what doesn't change any more
}

// NewMetrics returns a handler that asks the server.
func NewMetrics(nc *nats.Conn) *Metrics { return &Metrics{nc: nc, ended: map[string]*Status{}} }

// ServeHTTP implements [http.Handler].
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	all, err := m.statuses(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	var b bytes.Buffer
	writeMetrics(&b, all)
	_, _ = w.Write(b.Bytes()) // who asked may be gone
}

func (m *Metrics) statuses(ctx context.Context) ([]*Status, error) {
	c, err := Open(ctx, m.nc)
	if err != nil {
		return nil, err
	}
	scans, err := c.Scans(ctx)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*Status
	for _, s := range scans {
		st := m.ended[s.ID]
		if st == nil {
			if st, err = c.Status(ctx, s.ID); err != nil {
				return nil, err
			}
			if st.ended() {
				m.ended[s.ID] = st
			}
		}
		st.Aside = s.Aside // which collectors may find later
		all = append(all, st)
	}
	return all, nil
}

func writeMetrics(w io.Writer, all []*Status) {
	for _, metric := range metrics {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", metric.name, metric.help, metric.name, metric.kind)
		for _, st := range all {
			metric.values(st, func(labels string, value int64) {
				fmt.Fprintf(w, "%s{%s} %d\n", metric.name, strings.TrimSuffix(label("scan", st.ID)+","+labels, ","), value)
			})
		}
	}
}
