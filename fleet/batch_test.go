package fleet

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// streams makes those of a scan that nobody works on.
func (c *camp) streams(s *Scan) (*ledger, unit) {
	l := newLedger(c.client.nc, c.client.js)
	require.NoError(c.t, createStreams(c.ctx, l.js, s))
	return l, unit{s.ID, anywhere, 1}
}

func (l *ledger) count(t *testing.T, scan string) uint64 {
	stream, err := l.js.Stream(t.Context(), dataStream(scan))
	require.NoError(t, err)
	return stream.CachedInfo().State.Msgs
}

var three = lot{others: [][]byte{[]byte("{}"), []byte("{}"), []byte("{}")}}

// Results and progress move together, or not at all, and a state replaces the one before.
func TestCommit(t *testing.T) {
	c := newCamp(t)
	l, u := c.streams(&Scan{ID: "x", Lease: time.Minute})
	ctx := t.Context()
	first, err := l.commit(ctx, u, three, progress{Worker: "a", Commit: 1}, 0)
	require.NoError(t, err)
	require.EqualValues(t, 2, l.count(t, "x"))
	second, err := l.commit(ctx, u, three, progress{Worker: "b", Commit: 2}, first)
	require.NoError(t, err)
	require.EqualValues(t, 3, l.count(t, "x"))

	_, err = l.commit(ctx, u, three, progress{Worker: "a", Commit: 2}, first) // it woke up
	require.ErrorIs(t, err, errLost)
	_, err = l.commit(ctx, u, three, progress{Worker: "a", Commit: 1}, 0)
	require.ErrorIs(t, err, errLost)
	require.EqualValues(t, 3, l.count(t, "x"))

	again, err := l.commit(ctx, u, three, progress{Worker: "b", Commit: 2}, first) // whose answer was lost
	require.NoError(t, err)
	require.Equal(t, second, again)
	require.EqualValues(t, 3, l.count(t, "x"))

	p, last, err := l.read(ctx, u)
	require.NoError(t, err)
	require.Equal(t, second, last)
	require.Equal(t, "b", p.Worker)
}

// A worker that dies within a batch leaves nothing behind.
func TestTornBatch(t *testing.T) {
	c := newCamp(t)
	l, u := c.streams(&Scan{ID: "x", Lease: time.Minute})
	for _, n := range []string{"1", "2"} {
		m := nats.NewMsg(u.subject(kindResult))
		m.Header.Set(headerBatch, "torn")
		m.Header.Set(headerSequence, n)
		require.NoError(t, l.nc.PublishMsg(m))
	}
	_, err := l.commit(t.Context(), u, three, progress{Worker: "b"}, 0)
	require.NoError(t, err)
	require.EqualValues(t, 2, l.count(t, "x"))
}

// While the stream is full a commit waits, for as long as the worker may.
func TestFullStream(t *testing.T) {
	c := newCamp(t)
	l, u := c.streams(&Scan{ID: "x", Lease: time.Minute, MaxBytes: 8 << 10})
	large := lot{others: [][]byte{make([]byte, 5000)}}
	_, _ = rand.Read(large.others[0]) // so that it can't be made smaller
	first, err := l.commit(t.Context(), u, large, progress{Commit: 1}, 0)
	require.NoError(t, err)
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = l.commit(short, u, large, progress{Commit: 2}, first)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.EqualValues(t, 2, l.count(t, "x"))

	done := make(chan error, 1)
	go func() {
		_, err := l.commit(t.Context(), u, large, progress{Commit: 2}, first)
		done <- err
	}()
	stream, err := l.js.Stream(t.Context(), dataStream("x"))
	require.NoError(t, err)
	require.NoError(t, stream.Purge(t.Context(), jetstream.WithPurgeSubject("hc.x.result.>")))
	require.NoError(t, <-done)
	require.EqualValues(t, 2, l.count(t, "x"))
}
