package detect

import (
	"github.com/handclasp/handclasp/internal/service"
	"github.com/handclasp/handclasp/probe"
)

const unknown = "unknown"

// Unknown is what a [Detector] learned of a service that no prober speaks.
type Unknown struct {
	// Service names it if that is obvious from what it said, such as "http", "imap" or "tls"; "silent" if it said nothing, and
	// nothing to the two questions either. Empty if it isn't obvious, or the questions weren't asked.
	Service string `json:"service"`
	// Greeting is the beginning of what it said by itself or to a question; empty if it kept silent, or echoed the question.
	Greeting string `json:"greeting"`
	// Lossy says that the greeting isn't UTF-8: its bytes are in the transcript.
	Lossy bool `json:"lossy,omitempty"`
	// TLS is the handshake that was tried because it kept silent; null if it wasn't.
	TLS *probe.TLS `json:"tls"`
}

func newUnknown() *Unknown { return new(Unknown) }

// Protocol returns "unknown".
func (*Unknown) Protocol() string { return unknown }

// TLSHandshake implements [probe.TLSEvidence].
func (e *Unknown) TLSHandshake() *probe.TLS { return e.TLS }

// ServiceName implements [probe.NamedEvidence].
func (e *Unknown) ServiceName() string { return e.Service }

// greetingKept is how much of what an unknown service said is evidence.
const greetingKept = 256

// hear takes down what was said, and names who speaks so.
func (e *Unknown) hear(said []byte) {
	if len(said) == 0 {
		return
	}
	e.Greeting, e.Lossy = probe.UTF8(said[:min(len(said), greetingKept)])
	if name := service.Name(said); name != "" {
		e.Service = name
	}
}
