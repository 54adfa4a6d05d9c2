package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"strings"
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
	journal   *scan.Journal              // knows the number of endpoints, where anybody does
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
		judge: a.judge(o),
	}
	if o.baseline != nil {
		o.baseline.Add(finding.Entry{Header: a.header(o, j.identity)})
	}
	finished := j.resume.finished()
	scanCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.open(cancel)
	opts := j.options
	opts.Concurrency, opts.SlowLane, opts.Journal = o.concurrency, slowLane(o.concurrency, mostFiles()), j.journal
	opts.Probe.TLS = o.choice.tls
	opts.Probe.Level, opts.Probe.RootCAs, opts.Probe.Limits.Total = o.level, o.roots, o.timeout
	for r, err := range scan.Run(scanCtx, j.endpoints(scanCtx), &opts) {
		if errors.Is(err, scan.ErrResume) {
			s.refusal = j.resume.refusal(err)
		} else if err != nil {
			s.unusable(err)
		} else if s.result(r) != nil {
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
	out      *output
	spool    *spool // nil where the output is a terminal
	progress *progress

	sink    sink
	also    also
	ledger  io.Writer // to which the sink writes
	headed  bool      // said how the scan is made
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
	s.sink = s.newSink(counter{w, &s.written}, s.o.format, s.o.output == "", report.TableOptions{List: s.job.list, Baseline: s.o.baseline != nil})
}

// tells reports whether lines among the results say how they came about.
func (s *session) tells() bool {
	return s.o.format == formatJSONL && s.job.identity != nil && !s.job.identity.plain
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

func (s *session) result(r scan.Result) error {
	if r.Outcome == probe.OutcomeCanceled {
		s.cut++
		if s.job.resume != nil {
			return nil // it comes again
		}
	}
	if r.Outcome == probe.OutcomeInternal || errors.Is(r.Err, dialer.ErrProxy) {
		s.missed++
		s.why = cmp.Or(s.why, r.Err)
	}
	record := s.judge.Record(r.Result)
	record.Tag = r.Endpoint.Input.Tag
	record.Findings = s.o.choice.reported(record.Findings)
	silent := s.o.choice.passes(record)
	write := s.sink.write
	counted := record
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
	s.tally.Add(counted)
	if s.tells() {
		if !s.headed {
			s.headed = true
			if s.broken = writeEntry(s.ledger, finding.Entry{Header: s.header(s.o, s.job.identity)}); s.broken != nil {
				return s.broken
			}
		}
		record.Scan = s.job.identity.id
		s.job.identity.count(record)
	}
	if silent {
		write = skip(s.sink)
	}
	if s.broken = s.also.write(counted, s.host(r.Endpoint), silent || s.o.baseline != nil && len(counted.Findings) == 0); s.broken != nil {
		return s.broken
	}
	if s.o.format == formatJSONL && !s.o.transcript {
		record = record.WithoutTranscript()
	}
	if s.broken = write(record, s.host(r.Endpoint)); s.broken != nil {
		return s.broken
	}
	if r.Outcome != probe.OutcomeCanceled {
		s.job.journal.Done(r, len(finding.Open(counted.Findings)))
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

// finish writes what is left and returns how the command ends.
func (s *session) finish(interrupted bool) error {
	s.progress.clear()
	s.progress.stop()
	if s.job.identity != nil {
		complete := !interrupted && s.missed == 0
		s.footer = finding.Entry{Footer: s.job.identity.footer(complete, s.job.journal.Progress().Unusable)}
	}
	if s.tells() && s.broken == nil && s.refusal == nil && (s.tally.Endpoints > 0 || s.job.resume != nil) {
		s.broken = writeEntry(s.ledger, s.footer)
	}
	err := s.flush()
	switch {
	case s.refusal != nil:
		s.out.discard()
		s.also.discard()
		return s.refusal
	case err != nil:
		s.also.discard()
		return s.failure(err)
	case s.tally.Endpoints == 0 && s.job.resume == nil:
		s.out.discard() // an earlier file is worth more than an empty one
		s.also.discard()
		if s.refused == 0 && !interrupted {
			return s.nothing()
		}
		return s.verdict(interrupted)
	}
	if err := errors.Join(s.out.commit(), s.also.commit()); err != nil {
		return err
	}
	if !s.o.silent && isTerminal(s.stderr) && (s.o.format != formatTable || s.o.output != "") {
		fmt.Fprintln(s.stderr, s.tally.String())
	}
	return s.verdict(interrupted)
}

// flush writes what is left and returns why results can't be written.
func (s *session) flush() error {
	if s.broken == nil && s.tally.Endpoints > 0 {
		s.broken = s.sink.close()
	}
	if s.job.resume != nil && s.broken == nil && s.refusal == nil {
		s.save()
	}
	if s.spool != nil {
		if err := s.spool.Close(); s.broken == nil {
			s.broken = err
		}
	}
	return s.broken
}

// failure words an error of writing, and says what can be done.
func (s *session) failure(err error) error {
	var unsaved *stateError
	if errors.As(err, &unsaved) {
		s.out.discard()
		return err
	}
	if s.out.part == nil && s.job.resume == nil && errors.Is(err, syscall.EPIPE) {
		return exit(exitTrouble) // whoever read the results has seen enough, and knows it
	}
	err = s.out.failure(err)
	if r := s.job.resume; r != nil {
		err = fmt.Errorf("%w: the scan has ended; %s holds how far it has come: give the same command again to go on", err, r.path)
	}
	return err
}

// nothing says why there was nothing to scan.
func (s *session) nothing() error {
	if s.job.journal.State().Next > 0 {
		s.complain("nothing to scan: the targets are excluded or not public, or belong to other shards")
		return nil
	}
	return cmp.Or(s.o.none, errors.New("no targets: the list holds none"))
}

func (s *session) verdict(interrupted bool) error {
	if !s.o.silent && !interrupted {
		s.o.accept.tell(s.app)
	}
	if n := s.job.repeated; n != nil && *n > 0 && !s.o.silent {
		s.complain("targets that were named more than once, and scanned once: %d", *n)
	}
	switch {
	case s.refused > badTargets:
		s.complain("%d of the targets couldn't be used, of which the first %d are said above", s.refused, badTargets)
	case s.refused > 0 && s.tally.Endpoints > 0:
		s.complain("%d of the targets couldn't be used, as said above", s.refused)
	}
	if s.missed > 0 {
		s.complain("endpoints that weren't scanned for trouble on this side: %d, the first because of %v: scan them again", s.missed, s.why)
	}
	if interrupted {
		s.complain("%s", s.interruption())
	}
	if interrupted {
		return exit(exitTrouble)
	}
	b := s.balance()
	if s.o.failOn > 0 && s.tally.AtLeast(s.o.failOn) > 0 {
		b.worst = s.o.failOn
	}
	return s.o.losses.judgement(b, s.o.failOn, s.missed > 0 || s.job.journal.Progress().Unusable > 0) // before the scan was resumed, too
}

// balance says what was learned of what the baseline knows, and tells which groups were lost.
func (s *session) balance() balance {
	if s.o.baseline == nil {
		return balance{}
	}
	s.o.baseline.Add(s.footer)
	d := s.o.baseline.Delta(s.o.losses.accept)
	for _, n := range d.Notes {
		if n.Kind == finding.NoteBlind || n.Kind == finding.NoteCause {
			s.complain("%s", strings.TrimSpace(fmt.Sprintf("%s %s: %s", n.Kind, n.Group, n.Text)))
		}
	}
	if d.Known > 0 && d.Lost == d.Known {
		s.complain("nothing was learned of the %d findings that the baseline has", d.Known)
	}
	return balance{known: d.Known, lost: d.Lost, blind: d.Blind()}
}

// interruption says what an interrupt left undone.
func (s *session) interruption() string {
	p := s.job.journal.Progress()
	text := fmt.Sprintf("interrupted: of the endpoints, %d done, %d cut short", p.Done, s.cut)
	if p.Total < 0 {
		text += ", the rest of the list not begun"
	} else {
		text += fmt.Sprintf(", %d not begun", max(0, p.Total-p.Done-int64(s.cut)))
	}
	if r := s.job.resume; r != nil {
		text += fmt.Sprintf("; %s holds how far it has come: give the same command again to go on", r.path)
	}
	return text
}
