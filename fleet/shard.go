package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// Results are committed this many at a time, or this many bytes, or as often as this. A batch of the server has a thousand messages at
// most.
const (
	commitMost  = 500
	commitBytes = 4 << 20
	commitEvery = time.Second
)

// A done endpoint is a result and its line among the results; the line is nil if nothing is to be written.
type done struct {
	result   scan.Result
	line     []byte
	findings int
}

// A shardRun scans a shard.
type shardRun struct {
	*holding
	job     *job
	dial    probe.DialFunc // nil for the system's
	journal *scan.Journal
	done    chan done
}

// run scans what is left of a shard for as long as it is held, or until ctx ends.
func (j *job) run(ctx, held context.Context, h *holding, dial probe.DialFunc) error {
	r := &shardRun{holding: h, job: j, dial: dial, journal: scan.NewJournal(h.progress.Scan), done: make(chan done, commitMost)}
	scanning, stop := context.WithCancel(held)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	if err := sleep(scanning, h.wait); err != nil {
		return errWaiting
	}
	var unread error
	go func() {
		defer close(r.done)
		unread = r.scan(scanning)
	}()
	err := r.write(held)
	stop()
	for range r.done { // until the last probe is over
	}
	switch {
	case err != nil:
		return err
	case unread != nil:
		return unread
	case scanning.Err() != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case !h.progress.finished():
		return errors.New("the scan ended early")
	}
	return nil
}

// errWaiting says that nothing was begun: who had the shard before may still be at it.
var errWaiting = errors.New("the shard wasn't begun")

// scan asks the endpoints.
func (r *shardRun) scan(ctx context.Context) error {
	s := r.job.scan
	shard := scan.Shard{Index: r.unit.shard, Count: s.Shards}
	endpoints := scan.Endpoints(ctx, r.job.lines(ctx), r.job.probers, s.order(shard, r.job.exclude, r.journal))
	judge := r.job.judge()
	for result, err := range scan.Run(ctx, endpoints, s.scan(r.call, r.journal)) {
		if ctx.Err() != nil {
			continue // it may have been cut short: it is asked again
		}
		var bad *scan.InputError
		if errors.As(err, &bad) {
			continue // the coordinator said so
		}
		if err != nil {
			return err
		}
		record := judge.Record(result.Result)
		record.Tag, record.Scan = result.Endpoint.Input.Tag, s.recordID(r.unit.label)
		if !s.Transcript {
			record = record.WithoutTranscript()
		}
		line, err := record.MarshalJSON()
		if err != nil {
			return fmt.Errorf("%s: %w", result.Target.Addr, err)
		}
		r.done <- done{result, line, len(record.Findings)}
	}
	return nil
}

// call connects for a probe, as long as it is sure that no other worker does.
func (r *shardRun) call(ctx context.Context, network, address string) (net.Conn, error) {
	if r.stale() {
		r.end(errStale)
		return nil, context.Canceled
	}
	if r.dial != nil {
		return r.dial(ctx, network, address)
	}
	return (&net.Dialer{Timeout: probe.Limits{}.Effective().Dial, KeepAlive: -1}).DialContext(ctx, network, address)
}

// write commits results with the progress that they make.
func (r *shardRun) write(ctx context.Context) error {
	every := time.NewTicker(commitEvery)
	defer every.Stop()
	var lines [][]byte
	bytes := 0
	commit := func() error {
		state := r.journal.State()
		p := r.progress
		p.Scan = &state
		err := r.commit(ctx, lines, p)
		lines, bytes = nil, 0
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case d, ok := <-r.done:
			if !ok {
				return commit()
			}
			r.journal.Done(d.result, d.findings)
			lines, bytes = append(lines, d.line), bytes+len(d.line)
			if len(lines) < commitMost && bytes < commitBytes {
				continue
			}
		case <-every.C:
			if lines == nil {
				continue
			}
		}
		if err := commit(); err != nil {
			return err
		}
	}
}
