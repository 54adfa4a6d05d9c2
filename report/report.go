// Package report writes records: as a table for terminals and as one page for browsers, as CSV for spreadsheets, and as
// JSON lines for programs, which [Read] reads again; for DefectDojo, as events of OCSF, and as JUnit XML. Package report/sarif
// writes for code scanning.
//
// Whatever a server said is hostile text, and each writer takes the harm out of it in the way that its form asks for.
package report

import "github.com/handclasp/handclasp/finding"

// A Writer takes records one at a time, and writes what is left when it is closed. It doesn't close what it writes to.
// All but [HTML], which is written when it is closed, write each record as it comes.
type Writer interface {
	Write(r finding.Record) error
	Close() error
}

// Options say what a form for other programs states beside the findings.
type Options struct {
	// Rules give findings their meaning and remedy. A finding of another rule is written with what it says itself.
	Rules   []finding.Rule
	Version string // of the program that probed, such as "v1.2.3", which OCSF has a place for; may be empty
}
