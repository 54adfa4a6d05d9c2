package main

import (
	"io"

	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/report"
)

// forms are what results are written in, each to a file of its own.
type forms []report.Writer

// write reads JSON lines and writes the results among them.
func (all forms) write(lines io.Reader) error {
	for r, err := range report.Read(lines, fleet.Readers()...) {
		if err != nil {
			return err
		}
		for _, w := range all {
			if err := w.Write(r); err != nil {
				return err
			}
		}
	}
	for _, w := range all {
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}
