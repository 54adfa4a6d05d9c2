package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/handclasp/handclasp/finding"
)

// finish writes what is left and returns how the command ends.
func (s *session) finish(interrupted bool) error {
	s.progress.clear()
	s.progress.stop()
	if s.job.identity != nil {
		complete := !interrupted && s.missed == 0
		s.footer = finding.Entry{Footer: s.job.identity.footer(complete, s.job.journal.Progress().Unusable)}
	}
	empty := s.tally.Endpoints == 0 && s.job.resume == nil
	if empty && s.o.nobody && !interrupted && len(s.job.identity.unresolved) > 0 {
		empty, s.broken = false, writeEntry(s.ledger, s.heading())
	}
	if s.tells() && s.broken == nil && s.refusal == nil && !empty {
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
	case empty:
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
