package fleet

import (
	"cmp"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSharesAreFair(t *testing.T) {
	s := &shares{rate: 100, lease: time.Minute, members: map[string]*member{}}
	now := time.Unix(1e9, 0)
	uses := map[string]float64{}
	most := map[string]float64{"c": 10}
	round := func(workers ...string) {
		for range 3 { // a share is free once another is given up
			for _, w := range workers {
				uses[w] = s.beat(w, uses[w], most[w], now)
			}
			now = now.Add(time.Second)
		}
	}
	round("a")
	require.Equal(t, map[string]float64{"a": 100}, uses)
	round("a", "b", "c")
	require.Equal(t, map[string]float64{"a": 45, "b": 45, "c": 10}, uses)
	now = now.Add(time.Minute)
	delete(uses, "b")
	round("a", "c")
	require.Equal(t, map[string]float64{"a": 90, "c": 10}, uses)
}

// Whatever is lost on the way, whoever comes and goes, and the coordinator too: all together never use more than the rate.
func TestSharesNeverExceedTheRate(t *testing.T) {
	const lease = 30 * time.Second
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("FLEET_SEED"), "1"), 10, 64)
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	now := time.Unix(1e9, 0)
	s := &shares{rate: 1000, lease: lease, members: map[string]*member{}}
	type worker struct {
		uses    float64
		renewed time.Time
	}
	workers := map[string]*worker{}
	for step := range 50_000 {
		now = now.Add(time.Duration(r.IntN(300)) * time.Millisecond)
		name := string(rune('a' + r.IntN(12)))
		w := workers[name]
		if w != nil && now.Sub(w.renewed) > sure(lease) {
			w.uses = 0 // it stopped by itself
		}
		switch n := r.IntN(1000); {
		case n == 0:
			s = &shares{rate: 1000, lease: lease, since: now, members: map[string]*member{}}
		case n < 5:
			delete(workers, name) // killed
		case n < 200: // the question or the answer is lost
			if w != nil && n < 100 {
				s.beat(name, w.uses, 0, now)
			}
		default:
			if w == nil {
				w = new(worker)
				workers[name] = w
			}
			asked := now
			w.uses, w.renewed = s.beat(name, w.uses, float64(r.IntN(3)*100), now), asked
		}
		sum := 0.0
		for _, w := range workers {
			if now.Sub(w.renewed) <= sure(lease) {
				sum += w.uses
			}
		}
		require.LessOrEqual(t, sum, 1000.001, "step %d", step)
	}
}
