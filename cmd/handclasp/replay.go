package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/internal/inorder"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

const replayHelp = `Derive evidence, software and findings again from what was said in an earlier scan, without a network.

RESULTS is a file that 'handclasp scan --format jsonl --transcript' wrote, or - for standard input. This
version's protocols and rules judge the stored conversations, as of the time when they were held. A
result without its conversation, or with one that this version would hold in another way, keeps the
evidence that was stored, and its software and findings are derived from that.`

const replayExitHelp = `
Exit status:
  0  everything was read and written
  1  and a finding is at or above --fail-on
  2  a wrong flag, trouble with a file, an interrupt, or a line that holds no result. The
     others are still written
`

// replayOptions are what the flags say.
type replayOptions struct {
	options
	results string
}

func (a *app) replayCommand() *cobra.Command {
	o := replayOptions{options: options{software: fingerprint.Builtin()}}
	cmd := &cobra.Command{
		Use:   "replay [flags] RESULTS",
		Short: "Derive evidence and findings again from stored conversations",
		Long:  replayHelp,
		Example: `  handclasp scan --format jsonl --transcript --output results.jsonl ftp.example.net
  handclasp replay results.jsonl
  handclasp replay --format jsonl --transcript --output again.jsonl results.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{errors.New("one file of results is replayed: name it, or - for standard input"), cmd.CommandPath()}
			}
			o.results = args[0]
			if err := o.settle(cmd); err != nil {
				return err
			}
			if len(o.more) > 0 {
				return &usageError{errors.New("--output: a replay has one: make the others with handclasp report"), cmd.CommandPath()}
			}
			return a.interruptible(cmd.Context(), func(ctx context.Context) error { return a.replay(ctx, &o) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	o.form.register(cmd)
	f.Var(value[finding.Severity]{&o.failOn, finding.ParseSeverity, showSeverity, "SEVERITY"}, "fail-on",
		"exit with status 1 if a finding is as severe as this, or more: info, low, medium, high or critical")
	f.BoolVar(&o.transcript, "transcript", false, "with --format jsonl: include all that was said")
	f.Var(value[string]{&o.recog, parseFile, text, "DIR"}, "recog",
		"recognise software by the fingerprints in DIR, a checkout of Recog, before those built in")
	o.advice.register(f)
	o.accept.register(f)
	registerProfile(f, &o.choice.profile)
	o.choice.policies.register(f)
	cmd.SetUsageTemplate(cmd.UsageTemplate() + replayExitHelp)
	return cmd
}

// replay is the replay command, its flags read.
func (a *app) replay(ctx context.Context, o *replayOptions) error {
	if err := a.fitsStdout(o.format, o.output); err != nil {
		return err
	}
	if err := a.readFingerprints(&o.options); err != nil {
		return err
	}
	if err := a.readAdvice(&o.advice); err != nil {
		return err
	}
	if err := a.readAccepted(&o.accept); err != nil {
		return err
	}
	a, err := o.choice.policies.apply(a)
	if err != nil {
		return err
	}
	stored, err := a.openStored(o.results)
	if err != nil {
		return err
	}
	defer stored.close()
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	b := *a
	b.profile = o.choice.profile
	a = &b
	r := &replaying{
		app: a, o: o, judge: a.judge(&o.options),
		sink: a.newSink(out, o.format, o.output == "", report.TableOptions{}),
	}
	replay := func(record finding.Record) reprobed { return r.reprobe(ctx, record) }
	for again := range inorder.Map(stored.records(), replay) {
		if err = r.take(ctx, again); err != nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		out.discard()
		return errors.New("interrupted")
	case err != nil:
		return out.failure(err)
	case stored.foreign() != nil:
		out.discard() // an earlier file is worth more than an empty one
		return stored.foreign()
	case r.tally.Endpoints == 0:
		out.discard()
		return noResults(stored.path)
	}
	if err := r.sink.close(); err != nil {
		return out.failure(err)
	}
	if err := out.commit(); err != nil {
		return err
	}
	if !o.silent {
		fmt.Fprintln(a.stderr, r.String())
		o.accept.tell(a)
	}
	switch {
	case stored.bad > 0:
		return exit(exitTrouble)
	case o.failOn > 0 && r.tally.AtLeast(o.failOn) > 0:
		return exit(exitFindings)
	}
	return nil
}

// replaying is one run of replay.
type replaying struct {
	*app
	o      *replayOptions
	judge  *handclasp.Judge
	sink   sink
	tally  report.Tally
	silent int // results without a conversation
	other  int // results whose conversation would be another one today
}

// reprobed is a record with the result that its conversation gives today, or why there is none.
type reprobed struct {
	finding.Record
	err error
}

// reprobe is called side by side.
func (r *replaying) reprobe(ctx context.Context, record finding.Record) reprobed {
	again, err := replay.Reprobe(ctx, record.Result, r.candidates(record.Protocol)...)
	if err == nil {
		record.Result = again
	}
	return reprobed{record, err}
}

// take judges and writes, in the order of the file: comparisons go by it.
func (r *replaying) take(ctx context.Context, again reprobed) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(again.err, replay.ErrNoTranscript):
		r.silent++
	case again.err != nil:
		r.other++
	}
	record := r.judge.Record(again.Result)
	record.Tag, record.Scan = again.Tag, again.Scan
	r.tally.Add(record)
	if r.o.format == formatJSONL && !r.o.transcript {
		record = record.WithoutTranscript()
	}
	return r.sink.write(record, report.Host{})
}

// candidates are the ways in which a conversation of the protocol may have come about.
func (r *replaying) candidates(protocol string) (list []probe.Prober) {
	for _, p := range r.probers {
		spec := p.Spec()
		if spec.Protocol != protocol {
			continue
		}
		list = append(list, p, detect.Detector{Probers: r.probers, Expected: p})
		if by, ok := p.(scan.SchemeProber); ok {
			for _, port := range spec.Ports {
				if port.Scheme != "" {
					list = append(list, by.ForScheme(port.Scheme))
				}
			}
		}
	}
	return append(list, detect.Detector{Probers: r.probers})
}

// String says what became of the results.
func (r *replaying) String() string {
	text := fmt.Sprintf("%d of %d conversations replayed", r.tally.Endpoints-r.silent-r.other, r.tally.Endpoints)
	if r.silent > 0 {
		text += fmt.Sprintf("; %d not stored: scan with --transcript", r.silent)
	}
	if r.other > 0 {
		text += fmt.Sprintf("; %d held in another way than today", r.other)
	}
	return text
}
