package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

// Results are committed this many at a time, or this many bytes, or as often as this.
const (
	commitMost  = 4000
	commitBytes = 4 << 20
	commitEvery = time.Second
	waiting     = 500 // results that wait while others are being committed
)

// A shardRun scans a shard.
type shardRun struct {
	*holding
	job     *job
	judge   *handclasp.Judge
	compare []finding.Comparison // that are the collector's
	rest    func()               // asks no further endpoint for now
	rests   atomic.Bool          // rest was called
	dial    probe.DialFunc       // nil for the system's
	journal *scan.Journal
	from    uint64 // the position where it began; what is before it was under way with another worker
	done    chan done
	text    []byte // of the last record
}

// What is done is an endpoint with its line among the results, if it has one, an input whose name has no address, or a note of which endpoints are
// asked next.
type done struct {
	result     scan.Result
	line       []byte
	findings   int
	compared   bool
	unresolved *scan.InputError
	note       *note
}

// run scans what is left of a shard for as long as it is held, or until ctx ends.
func (j *job) run(ctx, held context.Context, h *holding, dial probe.DialFunc) error {
	r := &shardRun{holding: h, job: j, judge: j.judge(j.probers), dial: dial, journal: scan.NewJournal(h.progress.Scan), done: make(chan done, waiting)}
	_, r.compare = j.scan.judges(nil)
	if h.progress.Scan != nil {
		r.from = h.progress.Scan.Next
	}
	scanning, stop := context.WithCancel(held)
	defer stop()
	r.rest = func() { r.rests.Store(true); stop() }
	defer context.AfterFunc(ctx, stop)()
	if err := sleep(scanning, h.wait); err != nil {
		return errWaiting
	}
	go j.pact.watch(scanning, r.rest)
	suspicious := h.progress.suspicious(j.scan.Concurrency)
	var unread error
	go func() {
		defer close(r.done)
		unread = r.scan(scanning, suspicious)
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
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !h.progress.finished() && r.rests.Load():
		return j.pact.why()
	case !h.progress.finished():
		return errors.New("the scan ended early")
	}
	return nil
}

// errExcluded says that an address was excluded since the scan began.
var errExcluded = errors.New("the address is to be left alone")

// errWaiting says that nothing was begun: who had the shard before may still be at it.
var errWaiting = errors.New("the shard wasn't begun")

// scan asks the endpoints, the first ones with care if there are suspects.
func (r *shardRun) scan(ctx context.Context, s *suspicion) error {
	shard := scan.Shard{Index: r.unit.shard, Count: r.job.scan.Shards}
	order := r.job.scan.order(shard, r.job.exclude, r.journal)
	order.Resolver = r.job.resolver
	endpoints := scan.Endpoints(ctx, r.job.of(ctx, r.unit.shard), r.job.probers, order)
	if s == nil {
		return r.ask(ctx, endpoints)
	}
	next, stop := iter.Pull2(endpoints)
	defer stop()
	if err := r.sift(ctx, s, next); err != nil {
		return err
	}
	return r.ask(ctx, func(yield func(scan.Endpoint, error) bool) {
		for e, err, ok := next(); ok && yield(e, err); e, err, ok = next() {
		}
	})
}

// ask asks endpoints, and hands on what they gave.
func (r *shardRun) ask(ctx context.Context, endpoints iter.Seq2[scan.Endpoint, error]) error {
	return r.job.ask(r, ctx, endpoints)
}

// probe is how a job asks.
func (r *shardRun) probe(ctx context.Context, endpoints iter.Seq2[scan.Endpoint, error]) error {
	o := r.job.scan.scan(r.dial, r.job.pact.limiter, r.journal)
	o.Probe.Gate, o.Probe.RootCAs = r.gate, r.job.roots
	for result, err := range scan.Run(ctx, endpoints, o) {
		if r.unusable(err) { // which the journal knows already
			continue
		}
		if ctx.Err() != nil {
			continue // it may have been cut short: it is asked again
		}
		switch {
		case err != nil:
		case r.job.pact.excludes(result.Target.Addr.Addr()):
			r.done <- done{result: scan.Result{Endpoint: result.Endpoint}} // it is through, and nothing is said
		default:
			err = r.record(result)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unusable reports whether an error is an input's, and has it counted if that is for its name; the others the coordinator counts.
func (r *shardRun) unusable(err error) bool {
	var bad *scan.InputError
	if !errors.As(err, &bad) {
		return false
	}
	if bad.Unresolved != "" {
		r.done <- done{unresolved: bad}
	}
	return true
}

// record makes a line of a result.
func (r *shardRun) record(result scan.Result) error {
	record := r.judge.Record(result.Result)
	record.Findings = r.job.scan.told(record.Findings)
	record.Tag, record.Scan = result.Endpoint.Input.Tag, r.job.scan.recordID(r.unit.label)
	if !r.job.scan.Transcript {
		record = record.WithoutTranscript()
	}
	if r.job.scan.Open && !pick.Answered(record) {
		r.done <- done{result: result}
		return nil
	}
	trace := finding.TraceOf(result.Result, r.compare)
	line, err := r.line(record, trace)
	if err != nil {
		return fmt.Errorf("%s: %w", result.Target.Addr, err)
	}
	if most := r.board.largest(); len(line) > most {
		line, err = r.line(record.WithoutTranscript(), trace)
		if err != nil || len(line) > most {
			return fmt.Errorf("%s: a result of %d bytes: the server takes %d (max_payload)", result.Target.Addr, len(line), most)
		}
	}
	r.done <- done{result: result, line: line, findings: len(record.Findings), compared: trace.Marks != nil}
	return nil
}

// line is a record in JSON, with its trace if that has marks.
func (r *shardRun) line(record finding.Record, trace finding.Trace) (line []byte, err error) {
	r.text, err = record.AppendJSON(r.text[:0])
	if err == nil && trace.Marks != nil {
		r.text, err = appendTrace(r.text, tracing{record.Scan, trace})
	}
	return bytes.Clone(report.CleanJSON(r.text)), err
}

// gate lets a probe connect, as long as it is sure that no other worker does.
func (r *shardRun) gate(_ context.Context, to netip.AddrPort) error {
	if !r.may() {
		return context.Canceled
	}
	if r.job.pact.excludes(to.Addr()) {
		return errExcluded
	}
	return nil
}

// may reports whether anybody may be called now; if not, it ends what is under way.
func (r *shardRun) may() bool {
	if r.stale() {
		r.end(errStale)
		return false
	}
	if !r.job.pact.holds() {
		r.rest()
		return false
	}
	return true
}

// write commits results with the progress that they make.
func (r *shardRun) write(ctx context.Context) error {
	every := time.NewTicker(commitEvery)
	defer every.Stop()
	var results lot
	through := 0 // endpoints since the last commit
	outcomes := map[probe.Outcome]int64{}
	maps.Copy(outcomes, r.progress.Outcomes)
	nameless := progress{Nameless: r.progress.Nameless, Unresolved: slices.Clone(r.progress.Unresolved)}
	commit := func(n *note) error {
		state := r.journal.State()
		p := r.progress
		p.Scan, p.Outcomes, p.Nameless, p.Unresolved = &state, maps.Clone(outcomes), nameless.Nameless, nameless.Unresolved
		n.apply(&p)
		if r.from > 0 && (len(state.Pending) == 0 || state.Pending[0].Position >= r.from) {
			p.Fails = 0 // all is through that was under way when the shard was taken
		}
		err := r.commit(ctx, results, p)
		results, through = lot{}, 0
		return err
	}
	for {
		var n *note
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case d, ok := <-r.done:
			if !ok {
				return commit(nil)
			}
			if n = d.note; n != nil {
				break
			}
			if d.unresolved != nil {
				nameless.addUnresolved(d.unresolved)
				continue
			}
			r.journal.Done(d.result, d.findings)
			through++
			if d.result.Result != nil { // nobody was asked who is excluded
				outcomes[d.result.Outcome]++
			}
			if d.line != nil {
				results.add(d.line, d.compared)
			}
			if through < commitMost && results.bytes < commitBytes {
				continue
			}
		case <-every.C:
			if through == 0 {
				continue
			}
		}
		if err := commit(n); err != nil {
			return err
		}
		n.said()
	}
}
