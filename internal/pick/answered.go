package pick

import (
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// Answered reports whether somebody answered at a record's endpoint, in whatever way.
func Answered(r finding.Record) bool {
	switch report.StateOf(r) {
	case report.Answered, report.TLSFailed, report.Failed:
		return true
	}
	return false
}
