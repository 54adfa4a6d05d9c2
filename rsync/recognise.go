package rsync

import (
	"bytes"

	"github.com/handclasp/handclasp/probe"
)

// Recognise implements detect.Recogniser: no other protocol begins so.
func (Prober) Recognise(said []byte) probe.Recognition {
	prefix := []byte(prefixTalk)
	switch {
	case bytes.HasPrefix(said, prefix):
		return probe.Recognised
	case bytes.HasPrefix(prefix, said):
		return probe.Undecided
	}
	return probe.Foreign
}
