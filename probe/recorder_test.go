package probe

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the lengths of what is said, each event keeps its own bytes, and what is appended to one changes no other.
func TestRecorderKeepsEachEventsData(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var r recorder
		r.begin(nil, []Level{LevelGreeting, LevelHandshake}[chance.IntN(2)])
		var want [][]byte
		joined := false // the last event was received in a stream
		for i := range 200 {
			data := bytes.Repeat([]byte{byte(i)}, []int{0, 1, 7, 100, 300, 5000}[chance.IntN(6)])
			switch chance.IntN(3) {
			case 0:
				r.add(Event{Conn: 1, Dir: DirSend, Data: data})
				want, joined = append(want, data), false
			case 1:
				r.received(1, data, true)
				want, joined = append(want, data), true
			case 2:
				r.received(1, data, false)
				if joined {
					last := &want[len(want)-1]
					*last = append(bytes.Clone(*last), data...)
				} else {
					want, joined = append(want, data), true
				}
			}
		}
		got := r.finish()
		require.Len(t, got, len(want))
		for i := range got {
			_ = append(got[i].Data, "changed"...)
		}
		for i := range got {
			require.True(t, bytes.Equal(want[i], got[i].Data), "event %d", i)
		}
	}
}
