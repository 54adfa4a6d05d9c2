package nntp

import (
	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Recognise implements [probe.Recogniser]: no other protocol greets by 200 or 201 (RFC 3977 §5.1), and none of those that
// share the others' codes by 400 or 502.
func (Prober) Recognise(said []byte) probe.Recognition {
	code, _, ok := textline.Opening(said)
	switch {
	case !ok:
		return probe.Foreign
	case code == 0:
		return probe.Undecided
	case code == codePosting, code == codeNoPosting:
		return probe.Recognised
	case code == codeDiscontinued, code == codeNotPermitted:
		return probe.Possible
	}
	return probe.Foreign
}
