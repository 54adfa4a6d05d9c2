package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/handclasp/handclasp/finding"
)

// Exit statuses, the same for all commands. Of several, 1 counts before 3, and 3 before 2.
const (
	exitDone     = 0
	exitFindings = 1
	exitTrouble  = 2
	exitUnknown  = 3
)

// exitTable is what the help of commands that compare says of them.
const exitTable = `
Exit status:
  0  everything was read and compared, and there is nothing to tell anybody
  1  something new is at or above --fail-on: a finding, an item of one that was there, or a risen severity.
     Whatever else happened is told, and doesn't change it
  3  too little was learned: a group of endpoints was lost at once, none of what was known was learned, or
     more than --fail-unknown of it wasn't
  2  a wrong flag, a file that can't be read, or a line in it that holds no result (the others are compared)
`

// A share is a part of what was known, from 0 to 1; less than 0 if none is set.
type share float64

func parseShare(text string) (share, error) {
	number, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !percent || !(f >= 0 && f <= 100) {
		return 0, errors.New("write a share in percent, such as 20%")
	}
	return share(f / 100), nil
}

func showShare(s share) string {
	if s < 0 {
		return ""
	}
	return fmt.Sprintf("%g%%", float64(s)*100)
}

// A balance is what a comparison learned and tells, as far as statuses go.
type balance struct {
	known, lost int  // findings that were known before, and those of them that weren't learned
	blind       bool // too much of a group was lost at once
	worst       finding.Severity
}

func balanceOf(d finding.Delta) balance { return balance{d.Known, d.Lost, d.Blind(), d.Worst()} }

// losses are the flags that say what is lost too much.
type losses struct {
	failUnknown share
	accept      []string
}

func (l *losses) register(f *pflag.FlagSet) {
	l.failUnknown = -1
	f.Var(value[share]{&l.failUnknown, parseShare, showShare, "SHARE"}, "fail-unknown",
		"exit with status 3 if more of what was known wasn't learned, such as 20%")
	f.StringSliceVar(&l.accept, "accept-loss", nil, "believe that `GROUPS` are gone: ranges as they are told, domains, or all")
}

// judgement returns the status for what a comparison tells.
func (l *losses) judgement(b balance, failOn finding.Severity, trouble bool) error {
	unknown := b.blind || b.known > 0 && b.lost == b.known
	if l.failUnknown >= 0 && b.known > 0 {
		unknown = unknown || float64(b.lost)/float64(b.known) > float64(l.failUnknown)
	}
	switch {
	case failOn > 0 && b.worst >= failOn:
		return exit(exitFindings)
	case unknown:
		return exit(exitUnknown)
	case trouble:
		return exit(exitTrouble)
	}
	return nil
}
