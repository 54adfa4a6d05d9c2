package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/report"
)

// forms are what results are written in, each to a file of its own.
type forms []report.Writer

// write reads JSON lines and writes the results among them. Lines that can't be read are a worker's that lies: they are passed over.
func (all forms) write(lines io.Reader) error {
	passed := 0
	for r, err := range report.Read(lines, fleet.Readers()...) {
		var bad *report.LineError
		if errors.As(err, &bad) {
			if passed++; passed == 1 {
				tell(report.Clean(fmt.Sprintf("not a result, and passed over: %v", err)))
			}
			continue
		}
		if err != nil {
			return err
		}
		for _, w := range all {
			if err := w.Write(r); err != nil {
				return err
			}
		}
	}
	if passed > 1 {
		tell(fmt.Sprintf("passed over, as no results: %d lines", passed))
	}
	for _, w := range all {
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}
