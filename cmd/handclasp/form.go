package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/internal/outform"
)

// A form is how results are written, and where to.
type form struct {
	format string
	output string        // empty for standard output
	more   []destination // beside it
	json   bool
	silent bool // nothing but results
}

// A destination is a file that is written beside another.
type destination struct{ path, format string }

// outputs collects the values of --output.
type outputs struct{ f *form }

func (o outputs) String() string { return o.f.output }
func (o outputs) Type() string   { return "FILE" }
func (o outputs) Set(path string) error {
	if _, err := parseFile(path); err != nil {
		return err
	}
	if o.f.output == "" {
		o.f.output = path
		return nil
	}
	o.f.more = append(o.f.more, destination{path: path})
	return nil
}

func (f *form) register(cmd *cobra.Command) {
	f.format = formatTable
	flags := cmd.Flags()
	flags.Var(value[string]{&f.format, outform.Parse, text, "FORMAT"}, "format", formatHelp)
	flags.VarP(outputs{f}, "output", "o", "write to FILE instead of standard output, in the format that its ending says; may be given several times")
	flags.BoolVarP(&f.json, "json", "j", false, "write JSON lines: --format jsonl")
	flags.BoolVar(&f.silent, "silent", false, "write results and errors, and nothing else")
}

// settle finds out which format is meant.
func (f *form) settle(cmd *cobra.Command) error {
	said := cmd.Flags().Changed("format")
	switch {
	case f.json && said && f.format != formatJSONL:
		return &usageError{fmt.Errorf("--json and --format %s: choose one", f.format), cmd.CommandPath()}
	case f.json:
		f.format, said = formatJSONL, true
	}
	if len(f.more) == 0 {
		if byName := outform.Of(f.output); byName != "" && !said {
			f.format = byName
		}
		return nil
	}
	if said {
		return &usageError{errors.New("--format: of several outputs the names say it: leave it out"), cmd.CommandPath()}
	}
	seen := map[string]bool{f.output: true}
	f.format = outform.Of(f.output)
	for i := range f.more {
		d := &f.more[i]
		if d.format = outform.Of(d.path); seen[d.path] {
			return &usageError{fmt.Errorf("--output: %s is there twice", d.path), cmd.CommandPath()}
		}
		seen[d.path] = true
	}
	for i := range f.more { // JSON lines also say how the scan was made, which the first output is told
		if d := &f.more[i]; f.format != formatJSONL && d.format == formatJSONL {
			f.output, f.format, *d = d.path, d.format, destination{f.output, f.format}
		}
	}
	for path := range seen {
		if outform.Of(path) == "" {
			return &usageError{outform.Untold(path), cmd.CommandPath()}
		}
	}
	return nil
}

// has reports whether one of the outputs has a format.
func (f *form) has(format string) bool {
	for _, d := range f.more {
		if d.format == format {
			return true
		}
	}
	return f.format == format
}
