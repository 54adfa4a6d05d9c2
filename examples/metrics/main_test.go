package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func get(t *testing.T, j *scan.Journal, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	handler(j).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	j := new(scan.Journal)
	require.NotContains(t, get(t, j, "/metrics"), "left_seconds", "nothing is known of it yet")
	j.SetTotal(3)
	j.Done(scan.Result{Result: &probe.Result{Transcript: probe.Transcript{{Dir: probe.DirOpen}}}}, 2)
	text := get(t, j, "/metrics")
	for _, want := range []string{
		"# HELP handclasp_endpoints Endpoints in all.\n# TYPE handclasp_endpoints gauge\nhandclasp_endpoints 3\n",
		"\nhandclasp_endpoints_done_total 1\n", "\nhandclasp_endpoints_open_total 1\n", "\nhandclasp_findings_total 2\n",
		"\nhandclasp_inputs_unusable_total 0\n", "\nhandclasp_endpoints_in_flight 0\n", "\nhandclasp_left_seconds ",
	} {
		require.Contains(t, text, want)
	}
	var all map[string]scan.Progress
	require.NoError(t, json.Unmarshal([]byte(get(t, j, "/debug/vars")), &all))
	require.EqualValues(t, 2, all["handclasp"].Findings)
}

func TestRun(t *testing.T) {
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"127.0.0.1:0", "192.0.2.0/29:21", "192.0.2.7:25"}, refuse, &out))
	var p scan.Progress
	require.NoError(t, json.Unmarshal([]byte(out.String()), &p))
	require.EqualValues(t, 9, p.Total)
	require.EqualValues(t, 9, p.Done)
	require.Error(t, run(t.Context(), []string{"127.0.0.1:0"}, refuse, &out))
	require.Error(t, run(t.Context(), []string{"nowhere", "192.0.2.7"}, refuse, &out))
}
