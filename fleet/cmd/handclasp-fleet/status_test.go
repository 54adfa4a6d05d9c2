package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fleet"
)

// How fast a scan is goes by the server's clock and this program's own, whatever the clock of whoever submitted it says.
func TestPace(t *testing.T) {
	st := &fleet.Status{Scan: fleet.Scan{ID: "x", Phase: fleet.Running, Submitted: time.Now().Add(time.Hour)}, Age: 10 * time.Second}
	now := time.Now()
	for _, c := range []struct {
		seen       []look
		age        time.Duration
		rate, left string
	}{
		{[]look{{now, 100}}, 10 * time.Second, "10/s", "1m30s"},
		{[]look{{now, 100}, {now.Add(time.Second), 120}}, 10 * time.Second, "20/s", "44s"},
		{[]look{{now, 100}}, -time.Hour, "-", "-"}, // the server's clock was set back
		{[]look{{now, 0}}, 10 * time.Second, "-", "-"},
	} {
		st.Age = c.age
		b := board{seen: map[string][]look{"x": c.seen}}
		rate, left := b.pace(st, 1000)
		require.Equal(t, []string{c.rate, c.left}, []string{rate, left})
	}
}
