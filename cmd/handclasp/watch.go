package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/scan"
)

const watchHelp = `Scan again and again, keep in the file --state what is known, and tell what changes.

Each scan is compared with all that were before: a finding is new once it was seen, and resolved once two scans have
learned that it isn't so; what a scan didn't learn changes nothing. Every scan tells at least that it was, also on quiet
nights. What --notify-exec names is run with the events on its standard input, one JSON object a line, and again with
those that are left if it fails; an event comes at least once, with the same id.

--once does one round, for cron or a timer. A round that finds the state in use by another one is skipped.`

// watchOptions are what the flags say beside those of a scan.
type watchOptions struct {
	state   string
	every   time.Duration
	once    bool
	notify  string
	confirm bool
	losses  losses
	after   finding.Confirmation
}

func (a *app) watchCommand() *cobra.Command {
	var o options
	var m many
	var is identity
	w := watchOptions{after: finding.Confirmation{New: 1, Of: 1, Gone: 2}}
	cmd := &cobra.Command{
		Use:   "watch [flags] TARGET...",
		Short: "Scan again and again, and tell what changes",
		Long:  watchHelp,
		Example: `  handclasp watch --state fleet.db --input hosts.txt --every 6h --notify-exec ./mail.sh
  handclasp watch --state fleet.db --input hosts.txt --once --fail-on medium`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case w.state == "":
				return &usageError{errors.New("--state: name the file that keeps what is known"), cmd.CommandPath()}
			case len(args) == 0 && m.input == "":
				return &usageError{errors.New("no targets: name one, or a list with --input"), cmd.CommandPath()}
			case w.once == (w.every > 0):
				return &usageError{errors.New("say how often: --every 6h, or --once"), cmd.CommandPath()}
			case m.input == "-" && (!w.once || w.confirm):
				return &usageError{errors.New("--input: standard input can be read once: name a file"), cmd.CommandPath()}
			case o.format != formatTable && o.format != formatJSONL:
				return &usageError{errors.New("--format: events are table or jsonl"), cmd.CommandPath()}
			case m.resume != "" || o.output != "" || m.shard != (scan.Shard{}):
				return &usageError{errors.New("--resume, --output and --shard are for scan"), cmd.CommandPath()}
			}
			return a.interruptible(cmd.Context(), func(ctx context.Context) error { return a.watch(ctx, &o, &m, &is, &w, args) })
		},
	}
	o.register(cmd, 0)
	m.register(cmd, &o.concurrency)
	is.register(cmd)
	f := cmd.Flags()
	f.Var(value[string]{&o.ca, parseFile, text, "FILE"}, "ca", "judge certificates by the roots in FILE (PEM) instead of the system's")
	f.Var(value[string]{&o.recog, parseFile, text, "DIR"}, "recog", "recognise software by the fingerprints in DIR before those built in")
	f.Var(value[string]{&w.state, parseFile, text, "FILE"}, "state", "keep in FILE what is known")
	f.Var(value[time.Duration]{&w.every, pick.Spacing, showDuration, "DURATION"}, "every", "scan this often")
	f.BoolVar(&w.once, "once", false, "scan once")
	f.StringVar(&w.notify, "notify-exec", "", "run `CMD` with the events on its standard input, by the shell")
	w.losses.register(f)
	o.advice.register(f)
	o.accept.register(f)
	registerProfile(f, &o.choice.profile)
	o.choice.policies.register(f)
	f.BoolVar(&w.confirm, "confirm", false, "ask again after a minute before anything is told to be new, changed or resolved")
	f.IntVar(&w.after.New, "new-after", 1, "believe what is new after `N` of the last scans")
	f.IntVar(&w.after.Of, "new-of", 1, "of how many of the last scans, `M`")
	f.IntVar(&w.after.Gone, "gone-after", 2, "believe what is gone after `K` scans in a row")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + exitTable)
	return cmd
}

// watch goes round until it is interrupted.
func (a *app) watch(ctx context.Context, o *options, m *many, is *identity, w *watchOptions, args []string) error {
	for {
		began := time.Now()
		err := a.round(ctx, o, m, is, w, args)
		var status exit
		if w.once {
			return err
		}
		if err != nil && !errors.As(err, &status) {
			a.complain("%v", err) // the next round may go better
		}
		if ctx.Err() != nil {
			return nil // as it ends between two rounds
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(began.Add(w.every))):
		}
	}
}

// round scans once, applies what was learned, and tells.
func (a *app) round(ctx context.Context, o *options, m *many, is *identity, w *watchOptions, args []string) error {
	o = new(*o)
	if err := a.readAdvice(&o.advice); err != nil {
		return err
	}
	judging, err := o.choice.apply(a)
	if err != nil {
		return err
	}
	rules := judging.profile.Rate(slices.Concat(judging.rules, o.advice.judge.Rules()))
	state, err := monitor.Open(w.state, &monitor.Options{Rules: rules, Comparisons: judging.profile.RateComparisons(judging.comparisons), Confirm: w.after})
	if errors.Is(err, monitor.ErrLocked) {
		a.complain("--state: %s is in use by another round: this one is skipped", w.state)
		return nil
	}
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	defer state.Close()
	results, err := a.look(ctx, o, m, *is, args)
	if err != nil {
		return err
	}
	defer results.close()
	apply := &monitor.ApplyOptions{AcceptLoss: w.losses.accept}
	if w.confirm {
		second := &secondLook{app: a, o: o, is: *is, look: func(ctx context.Context, o *options) (look, error) { return a.look(ctx, o, m, *is, args) }}
		defer second.close()
		apply.Again = second.again
	}
	told, err := state.Apply(ctx, results.entries(), apply)
	if err != nil {
		return fmt.Errorf("--state: %s: %w", w.state, err)
	}
	worst, err := a.tell(ctx, o, w, state, told.ID)
	if err != nil {
		return err
	}
	return w.losses.judgement(balance{told.Known, told.Lost, told.Blind, max(told.Worst, worst)}, o.failOn, results.trouble)
}

// collected is a scan's results in a file, and whether something couldn't be asked.
type collected struct {
	path    string
	trouble bool
}

// collect scans into a file, whose results are compared when all are there.
func (a *app) collect(ctx context.Context, o *options, m *many, is identity, args []string) (collected, error) {
	file, err := os.CreateTemp("", "handclasp-*.jsonl")
	if err != nil {
		return collected{}, err
	}
	_ = file.Close()
	c := collected{path: file.Name()}
	into := *o
	into.format, into.output, into.failOn, into.transcript, into.nobody = formatJSONL, c.path, 0, false, true
	is.id, is.plain = "", false
	quiet := *a
	var status exit
	err = quiet.scan(ctx, &into, m, &is, args)
	switch {
	case errors.As(err, &status):
		c.trouble = true
		if ctx.Err() != nil {
			err = errors.New("interrupted: what the scan learned until then isn't compared")
		} else {
			err = nil
		}
	case err == nil:
	}
	if err != nil {
		_ = os.Remove(c.path)
	}
	return c, err
}

// tell writes the events of a scan, those of one host together, and has those delivered that nobody got yet. If nobody else is to
// get them it writes those, too, that a round which was killed left. It returns the worst severity of what it wrote.
func (a *app) tell(ctx context.Context, o *options, w *watchOptions, state *monitor.State, id string) (worst finding.Severity, err error) {
	look := a.tableLook()
	var ids []int64
	var block []monitor.Event
	write := func() error {
		if err := writeEvents(a.stdout, o.format, block, look); err != nil {
			return fmt.Errorf("standard output: %w", userfile.Cause(err))
		}
		block = nil
		return nil
	}
	for e, err := range state.Events(ctx, 0) {
		if err != nil {
			return worst, err
		}
		if e.Scan != id && w.notify != "" {
			continue
		}
		if len(block) > 0 && head(block[0]) != head(e) {
			if err := write(); err != nil {
				return worst, err
			}
		}
		if e.Alarming(finding.Info) {
			worst = max(worst, e.Change.Finding.Severity)
		}
		ids, block = append(ids, e.ID), append(block, e)
	}
	if err := write(); err != nil {
		return worst, err
	}
	if w.notify != "" {
		return worst, a.deliver(ctx, w.notify, state)
	}
	return worst, state.Ack(ctx, ids...)
}
