package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A holding is a shard while one worker has it.
//
// A worker is sure of a shard for two thirds of a lease after each time that the server said whose it is; then it makes no further
// connection. Who takes a shard that wasn't given back writes its own name, and then waits for as long as that, so that the one
// before has stopped whether it knows or not. Neither depends on what the clocks show, only on how fast they run.
type holding struct {
	board  board
	ticket ticket
	unit   unit
	me     string
	lease  time.Duration

	wait     time.Duration
	progress progress // as it was committed last
	last     uint64   // its sequence
	renewed  atomic.Pointer[time.Time]
	end      context.CancelCauseFunc
}

// errStale says that a lease couldn't be renewed in time.
var errStale = errors.New("the server couldn't be asked in time whose the shard is")

// sure is how long a worker relies on what the server said.
func sure(lease time.Duration) time.Duration { return lease * 2 / 3 }

// age is how long ago a time was. A machine that slept knows by the wall clock alone.
func age(t time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// errFinished says that there is nothing left of a shard.
var errFinished = errors.New("the shard is finished")

// take makes a shard this worker's. Nobody may be called yet: somebody else may still talk to its hosts for as long as h.wait. The
// context that it returns ends when the shard is lost, or by h.end.
func take(ctx context.Context, b board, t ticket, me string, lease, spacing time.Duration) (*holding, context.Context, error) {
	h := &holding{board: b, ticket: t, unit: t.unit(), me: me, lease: lease}
	begun := time.Now()
	if err := h.claim(ctx, spacing); err != nil {
		return nil, nil, err
	}
	h.renewed.Store(&begun)
	held, end := context.WithCancelCause(context.WithoutCancel(ctx)) // a worker that is told to stop commits what it has
	h.end = end
	go h.keep(held)
	return h, held, nil
}

// claim writes the worker's name.
func (h *holding) claim(ctx context.Context, spacing time.Duration) (err error) {
	if h.progress, h.last, err = h.board.read(ctx, h.unit); err != nil {
		return err
	}
	p := h.progress
	switch {
	case p.finished():
		return errFinished
	case h.last == 0:
	case p.Worker == "":
		h.wait = spacing
	default:
		h.wait = max(sure(h.lease), spacing)
	}
	p.Worker = h.me
	p.Fails++ // until it goes well
	return h.commit(ctx, lot{}, p)
}

// commit adds results and replaces the progress. Only one goroutine does at a time.
func (h *holding) commit(ctx context.Context, results lot, p progress) error {
	p.Commit++
	seq, err := h.board.commit(ctx, h.unit, results, p, h.last)
	if err == nil {
		h.last, h.progress = seq, p
	}
	return err
}

// keep renews the lease, and ends the context when that doesn't succeed in time.
func (h *holding) keep(ctx context.Context) {
	every := time.NewTicker(h.lease / 6)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if h.stale() {
			h.end(errStale)
			return
		}
		begun := time.Now()
		asked, cancel := context.WithTimeout(ctx, h.lease/6)
		err := h.renew(asked)
		cancel()
		if errors.Is(err, errLost) {
			h.end(err)
			return
		}
		if err == nil {
			h.renewed.Store(&begun)
		}
	}
}

// renew asks whose the shard is.
func (h *holding) renew(ctx context.Context) error {
	if err := h.ticket.renew(); err != nil {
		return err
	}
	p, _, err := h.board.read(ctx, h.unit)
	if err == nil && p.Worker != h.me {
		return errLost
	}
	return err
}

// stale reports whether the shard may be another's.
func (h *holding) stale() bool { return age(*h.renewed.Load()) > sure(h.lease) }

// release gives the shard back, and says why if it didn't go well.
func (h *holding) release(ctx context.Context, why error) error {
	p := h.progress
	p.Worker = ""
	if why != nil {
		p.Reason = fmt.Sprintf("%s: %v", h.me, why)
	} else {
		p.Fails = max(0, p.Fails-1) // it may have gone well meanwhile
	}
	if err := h.commit(ctx, lot{}, p); err != nil {
		return err
	}
	return h.ticket.giveBack(ctx)
}
