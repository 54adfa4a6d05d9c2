package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// options are what the flags of a scan say.
type options struct {
	level probe.Level
	form
	choice      choice
	timeout     time.Duration
	concurrency int
	ca          string
	roots       *x509.CertPool // what ca holds; nil for the system's
	recog       string
	software    *fingerprint.DB // what recog holds, and then what is built in
	advice      advice
	accept      acceptance
	transcript  bool
	none        error                    // what to say if standard input, which nobody named, holds no target
	failOn      finding.Severity         // 0 for never
	baseline    *finding.Baseline        // nil if every finding is reported
	earlier     string                   // the file of the baseline; empty for none
	losses      losses                   // beside the baseline
	among       func(scan.Endpoint) bool // which endpoints are asked; nil for all
	nobody      bool                     // an output is written if names alone were asked and none has an address, too
}

// value makes a flag of a parser, so that an unusable value is refused where it is read, with the flag's name.
type value[T any] struct {
	p     *T
	parse func(string) (T, error)
	show  func(T) string
	kind  string
}

func (v value[T]) String() string { return v.show(*v.p) }
func (v value[T]) Type() string   { return v.kind }
func (v value[T]) takes(text string) bool {
	_, err := v.parse(text)
	return err == nil
}
func (v value[T]) isList() bool { return reflect.TypeFor[T]().Kind() == reflect.Slice }
func (v value[T]) Set(text string) (err error) {
	parsed, err := v.parse(text)
	if err == nil {
		*v.p = parsed
	}
	return err
}

// register adds the flags that scan and demo share.
func (o *options) register(cmd *cobra.Command, def probe.Level) {
	o.level, o.concurrency = def, scan.DefaultConcurrency
	o.software = fingerprint.Builtin()
	o.timeout = probe.Limits{}.Effective().Total
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(value[probe.Level]{&o.level, probe.ParseLevel, probe.Level.String, "LEVEL"}, "level",
		"how far to go: greeting, handshake or anonymous")
	o.form.register(cmd)
	f.Var(value[time.Duration]{&o.timeout, pick.Timeout, time.Duration.String, "DURATION"}, "timeout",
		"how long one endpoint may take in all")
	f.Var(value[finding.Severity]{&o.failOn, finding.ParseSeverity, showSeverity, "SEVERITY"}, "fail-on",
		"exit with status 1 if a finding is as severe as this, or more: info, low, medium, high or critical")
	f.BoolVar(&o.transcript, "transcript", false, "with --format jsonl: include all that was said, as report --format html shows it")
}

// text shows a value that is text.
func text(s string) string { return s }

func showSeverity(s finding.Severity) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func parseFile(text string) (string, error) {
	if text == "" {
		return "", fmt.Errorf("name a file")
	}
	return text, nil
}

// readRoots reads the certificates that --ca names.
func (o *options) readRoots() error {
	if o.ca == "" {
		return nil
	}
	pem, err := os.ReadFile(o.ca)
	if err != nil {
		return fmt.Errorf("--ca: %w: name a file with certificates in PEM", err)
	}
	o.roots = x509.NewCertPool()
	if !o.roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("--ca: %s holds no certificate in PEM: it should have a line -----BEGIN CERTIFICATE-----", o.ca)
	}
	return nil
}
