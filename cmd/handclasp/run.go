package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

// A job is what run is to scan.
type job struct {
	endpoints func(context.Context) iter.Seq2[scan.Endpoint, error]
	options   scan.Options               // but for those that are flags of any scan
	journal   *scan.Journal              // knows the number of endpoints, if anybody does
	progress  time.Duration              // between two lines of progress; 0 for none
	resume    *resumption                // nil for none
	label     func(scan.Endpoint) string // what stands beside a host in the table; may be nil
	identity  *identity                  // what the results say of the scan; nil for nothing
	list      bool                       // the table ends with all findings
	repeated  *int                       // how many targets were named before; nil for none
	spread    bool                       // a host's endpoints may be far apart
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
	if o.transcript && !o.has(formatJSONL) {
		return errors.New("--transcript: JSON lines alone hold all that was said: add --format jsonl")
	}
	if err := a.fitsStdout(o.format, o.output); err != nil {
		return err
	}
	if err := enoughFiles(o.concurrency, mostFiles()); err != nil {
		return err
	}
	out, err := j.openOutput(o, a.stdout)
	if err != nil {
		return err
	}
	list := report.TableOptions{List: j.list, Baseline: o.baseline != nil}
	more, err := a.openAlso(&o.form, o.transcript, list)
	if err != nil {
		out.discard()
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // a pipe that nobody reads any more is an error like others
	s := &session{
		app: a, o: o, job: j, out: out, also: more, progress: newProgress(a.stderr, j.journal, j.progress, o.silent),
		judge: a.judge(o), list: list,
	}
	if o.baseline != nil {
		o.baseline.Add(s.heading())
	}
	finished := j.resume.finished()
	scanCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.open(cancel)
	opts := j.options
	opts.Concurrency, opts.SlowLane, opts.Journal = o.concurrency, slowLane(o.concurrency, mostFiles()), j.journal
	opts.Probe.TLS = o.choice.tls
	opts.Probe.Level, opts.Probe.RootCAs, opts.Probe.Limits.Total = o.level, o.roots, o.timeout
	for v, err := range scan.Map(scanCtx, j.endpoints(scanCtx), &opts, s.judged) {
		if errors.Is(err, scan.ErrResume) {
			s.refusal = j.resume.refusal(err)
		} else if err != nil {
			s.unusable(err)
		} else if s.result(v) != nil {
			break // nobody gets the results: no reason to go on
		}
	}
	cancel()
	if finished && s.refusal == nil {
		a.complain("%s: the scan is finished: remove the file to scan anew", j.resume.path)
	}
	return s.finish(ctx.Err() != nil)
}

// openOutput finds out, before anything is scanned, whether results can be written.
func (j *job) openOutput(o *options, stdout *os.File) (*output, error) {
	if j.resume != nil {
		return j.resume.openOutput(o.output, stdout)
	}
	return openOutput(o.output, stdout)
}

// A session is one run.
type session struct {
	*app
	o        *options
	job      job
	judge    *handclasp.Judge
	list     report.TableOptions
	out      *output
	spool    *spool // nil if the output is a terminal
	progress *progress

	lines   sync.Pool // of *report.JSONL, in whose memory lines are made
	sink    sink
	also    also
	ledger  io.Writer // to which the sink writes
	headed  bool      // said how the scan is made
	head    finding.Entry
	footer  finding.Entry
	written int64 // bytes that the output has, or is to have soon
	tally   report.Tally
	broken  error // why results can't be written
	refusal error // why the scan can't be resumed
	refused int   // inputs that can't be used
	cut     int   // endpoints that an interrupt cut short
	missed  int   // endpoints that weren't reached for trouble on this side
	why     error // the first time
}

// open makes what writes. Should that fail, end is called.
func (s *session) open(end func()) {
	var w io.Writer = s.progress.behind(s.out)
	if s.o.output != "" || !isTerminal(s.stdout) {
		s.spool = newSpool(s.out, end)
		w = s.spool
	}
	if r := s.job.resume; r != nil {
		s.written, s.tally = max(0, r.state.Offset), r.state.Tally
		// A state that can't be saved is found before anything is scanned, and one is there before an output fails.
		if s.broken = r.saver(s.job.journal, s.tally, s.written, s.out)(); s.broken != nil {
			end()
		}
	}
	s.ledger = counter{w, &s.written}
	s.sink = s.newSink(s.ledger, s.o.format, s.o.output == "", s.list)
}

// tells reports whether lines among the results say how they came about.
func (s *session) tells() bool {
	return s.o.format == formatJSONL && s.job.identity != nil && !s.job.identity.plain
}

// heading says how the scan is made.
func (s *session) heading() finding.Entry {
	if s.head.Header == nil {
		s.head.Header = s.header(s.o, s.job.identity)
	}
	return s.head
}

// A counter counts what is written.
type counter struct {
	w io.Writer
	n *int64
}

func (c counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	*c.n += int64(n)
	return n, err
}

// save notes how far the scan has come, once what was written until now is safe.
func (s *session) save() {
	save := s.job.resume.saver(s.job.journal, s.tally, s.written, s.out)
	if s.spool != nil {
		s.spool.Mark(save)
	} else if err := save(); err != nil && s.broken == nil {
		s.broken = err
	}
}

// tableEndpoints is up to how many endpoints a table waits for the others of a host if these may come at any time (--spread):
// in a larger scan all hosts would wait till the end, and fill the memory.
const tableEndpoints = 10_000

// result takes a result down and writes it.
func (s *session) result(v *verdict) error {
	if v.Outcome == probe.OutcomeCanceled {
		s.cut++
		if s.job.resume != nil {
			return nil // it comes again
		}
	}
	if v.Outcome == probe.OutcomeInternal || errors.Is(v.Err, dialer.ErrProxy) {
		s.missed++
		s.why = cmp.Or(s.why, v.Err)
	}
	record, counted := v.record, v.record
	write := s.sink.write
	if s.o.baseline != nil {
		mine := record
		mine.Scan = s.job.identity.id
		record.Findings = s.o.baseline.Mark(mine)
		counted.Findings = finding.News(record.Findings)
		if len(counted.Findings) == 0 {
			write = s.sink.pass
		}
		if s.o.format != formatJSONL { // which stores everything, for the next scan to be compared with
			record = counted
		}
	}
	s.tally.Count(v.state, counted)
	if s.tells() {
		if !s.headed {
			s.headed = true
			if s.broken = writeEntry(s.ledger, s.heading()); s.broken != nil {
				return s.broken
			}
		}
		s.job.identity.count(record)
	}
	switch {
	case v.silent:
		write = skip(s.sink)
	case v.lines != nil:
		write = s.writeLine(v)
	}
	if s.broken = s.also.write(counted, s.host(v.Endpoint), v.silent || s.o.baseline != nil && len(counted.Findings) == 0); s.broken != nil {
		return s.broken
	}
	if s.broken = write(s.stored(record), s.host(v.Endpoint)); s.broken != nil {
		return s.broken
	}
	if v.Outcome != probe.OutcomeCanceled {
		s.job.journal.Done(v.Result, len(finding.Open(counted.Findings)))
	}
	if s.job.resume != nil && s.job.resume.due() {
		s.save()
	}
	s.progress.step(s.job.journal)
	return s.broken
}

// host says with which other endpoints an endpoint stands in a table.
func (s *session) host(e scan.Endpoint) report.Host {
	host := report.Host{ID: e.Host, Endpoints: e.Endpoints}
	if s.job.spread && s.job.journal.Progress().Total > tableEndpoints {
		host = report.Host{Endpoints: 1}
	}
	if s.job.label != nil {
		host.Label = s.job.label(e)
	}
	return host
}

// badTargets is how many targets that can't be used are named before the rest is only counted: a list of another kind has many.
const badTargets = 20

func (s *session) unusable(err error) {
	if s.job.identity != nil {
		s.job.identity.unusable(err)
	}
	if s.refused++; s.refused <= badTargets {
		s.progress.clear()
		s.complain("%v", err)
	}
}
