package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

// A job is what run is to scan.
type job struct {
	endpoints func(context.Context) iter.Seq2[scan.Endpoint, error]
	total     int                        // of endpoints, as far as is known; -1 where it isn't
	label     func(scan.Endpoint) string // what stands beside a host in the table; may be nil
	list      bool                       // the table ends with all findings
}

// interruptible calls f with a context that the first Ctrl-C ends; the second ends the program.
func (a *app) interruptible(ctx context.Context, f func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	return f(ctx)
}

// run scans and writes: the heart of scan and demo. ctx ends it early; what was collected is written all the same.
func (a *app) run(ctx context.Context, o *options, j job) error {
	if o.transcript && o.format != formatJSONL {
		return errors.New("--transcript: JSON lines alone hold all that was said: add --format jsonl")
	}
	if err := a.fitsStdout(o.format, o.output); err != nil {
		return err
	}
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	s := &session{app: a, o: o, job: j, out: out, progress: newProgress(a.stderr, j.total)}
	s.total.Store(int64(j.total))
	s.open()
	scanCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := scan.Options{
		Concurrency: o.concurrency,
		Probe:       probe.Options{Level: o.level, RootCAs: o.roots, Limits: probe.Limits{Total: o.timeout}},
	}
	for r, err := range scan.Run(scanCtx, s.counted(j.endpoints(scanCtx)), &opts) {
		if err != nil {
			s.unusable(err)
		} else if err := s.result(r); err != nil {
			cancel() // nobody gets the results: no reason to go on
			break
		}
	}
	return s.finish(ctx.Err() != nil)
}

// A session is one run.
type session struct {
	*app
	o        *options
	job      job
	out      *output
	progress *progress

	sink    sink
	tally   report.Tally
	broken  error // why results can't be written
	refused int   // inputs that can't be used
	cut     int   // endpoints that an interrupt cut short
	total   atomic.Int64
}

func (s *session) open() {
	s.sink = s.newSink(s.progress.behind(s.out), s.o.format, s.o.output == "", s.job.list)
}

// counted adds to the total what is only learned on the way: the further addresses of names.
func (s *session) counted(endpoints iter.Seq2[scan.Endpoint, error]) iter.Seq2[scan.Endpoint, error] {
	return func(yield func(scan.Endpoint, error) bool) {
		host := 0
		for e, err := range endpoints {
			if err == nil && e.Address > 0 && e.Host != host && s.job.total >= 0 {
				host = e.Host
				s.total.Add(int64(e.Endpoints))
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *session) result(r scan.Result) error {
	r.Software = s.o.software.Software(r.Result)
	record := report.New(r.Result, s.rules)
	s.tally.Add(record)
	if r.Outcome == probe.OutcomeCanceled {
		s.cut++
	}
	if s.o.format == formatJSONL && !s.o.transcript {
		record = record.WithoutTranscript()
	}
	e := r.Endpoint
	host := report.Host{ID: e.Host, Endpoints: e.Endpoints}
	if s.job.label != nil {
		host.Label = s.job.label(e)
	}
	s.broken = s.sink.write(record, host)
	s.progress.step(s.tally.Endpoints, int(s.total.Load()))
	return s.broken
}

func (s *session) unusable(err error) {
	s.refused++
	var input *scan.InputError
	if errors.As(err, &input) && s.job.total >= 0 {
		s.total.Add(-scan.Count(scan.Args([]string{input.Input.Text}), s.probers))
	}
	s.progress.clear()
	s.complain("%v", err)
}

// finish writes what is left and returns how the command ends.
func (s *session) finish(interrupted bool) error {
	s.progress.clear()
	if s.tally.Endpoints == 0 {
		s.out.discard() // an earlier file is worth more than an empty one
		if s.refused == 0 && !interrupted {
			return errors.New("no targets: the list holds none")
		}
		return s.verdict(interrupted)
	}
	if s.broken == nil {
		s.broken = s.sink.close()
	}
	if s.broken != nil {
		return s.out.failure(s.broken)
	}
	if err := s.out.commit(); err != nil {
		return err
	}
	if isTerminal(s.stderr) && (s.o.format != formatTable || s.o.output != "") {
		fmt.Fprintln(s.stderr, s.tally.String())
	}
	return s.verdict(interrupted)
}

func (s *session) verdict(interrupted bool) error {
	if s.refused > 0 && s.tally.Endpoints > 0 {
		s.complain("%d of the targets couldn't be used, as said above", s.refused)
	}
	if interrupted {
		s.complain("%s", s.interruption())
	}
	switch {
	case interrupted, s.refused > 0:
		return exit(exitTrouble)
	case s.o.failOn > 0 && s.tally.AtLeast(s.o.failOn) > 0:
		return exit(exitFindings)
	}
	return nil
}

// interruption says what an interrupt left undone.
func (s *session) interruption() string {
	text := fmt.Sprintf("interrupted: of the endpoints, %d done, %d cut short", s.tally.Endpoints-s.cut, s.cut)
	if s.job.total < 0 {
		return text + ", the rest of the list not begun"
	}
	return fmt.Sprintf("%s, %d not begun", text, max(0, int(s.total.Load())-s.tally.Endpoints))
}
