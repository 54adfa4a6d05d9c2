package main

import (
	"fmt"
	"os"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/internal/userfile"
)

// maxComplaints is how many fingerprints that can't be used are named.
const maxComplaints = 5

// readFingerprints reads those that --recog names; they come before those that are built in.
func (a *app) readFingerprints(o *options) error {
	if o.recog == "" {
		return nil
	}
	db, err := fingerprint.Load(os.DirFS(o.recog))
	if db == nil {
		return fmt.Errorf("--recog: %s: %w: name a checkout of Recog, or a folder of such files", o.recog, userfile.Cause(err))
	}
	var bad []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		bad = joined.Unwrap()
	}
	for _, err := range bad[:min(len(bad), maxComplaints)] {
		a.complain("--recog: %v", err)
	}
	if more := len(bad) - maxComplaints; more > 0 {
		a.complain("--recog: … and %d more that can't be used", more)
	}
	if db.Len() == 0 {
		return fmt.Errorf("--recog: %s holds no fingerprint that can be used", o.recog)
	}
	o.software = db.Then(fingerprint.Builtin())
	return nil
}
