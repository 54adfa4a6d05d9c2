package detect

import (
	"bytes"

	"github.com/handclasp/handclasp/probe"
)

const unknown = "unknown"

// Unknown is what a [Detector] learned of a service that no prober speaks.
type Unknown struct {
	// Service names it where that is obvious from its first bytes, such as "http", "imap" or "tls", by the names of the
	// IANA registry where it has one; empty where it isn't.
	Service string `json:"service"`
	// Greeting is the beginning of what it said, before or behind a question; empty where it kept silent.
	Greeting string `json:"greeting"`
	// Lossy says that the greeting isn't UTF-8: its bytes are in the transcript.
	Lossy bool `json:"lossy,omitempty"`
	// TLS is the handshake that was tried because it kept silent; null where it wasn't.
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
	if name := serviceName(said); name != "" {
		e.Service = name
	}
}

const serviceTLS = "tls"

// beginnings are first bytes that no other service has.
var beginnings = []struct{ bytes, service string }{
	{"HTTP/1.", "http"}, {"<!DOCTYPE", "http"}, {"<html", "http"},
	{"+OK", "pop3"}, {"-ERR ", "pop3"},
	{"* OK", "imap"}, {"* PREAUTH", "imap"}, {"* BYE", "imap"},
	{"\xff\xfb", "telnet"}, {"\xff\xfc", "telnet"}, {"\xff\xfd", "telnet"}, {"\xff\xfe", "telnet"},
	{"RFB 0", "rfb"},
	{"<stream:stream", "xmpp-client"}, {"<?xml version='1.0'?><stream", "xmpp-client"},
	{"AMQP", "amqp"},
	{"\x15\x03", serviceTLS}, // an alert (RFC 8446 §6)
	{"-DENIED", "redis"}, {"-NOAUTH", "redis"},
	{"\"IMPLEMENTATION\"", "sieve"},
	{":irc.", "irc"}, {"NOTICE AUTH", "irc"},
	{"Asterisk Call Manager", "asterisk"},
	{"220 VMware Authentication Daemon", "vmware-auth"},
}

func serviceName(said []byte) string {
	for _, b := range beginnings {
		if bytes.HasPrefix(said, []byte(b.bytes)) {
			return b.service
		}
	}
	// The fax server greets as FTP does and speaks a dialect of it.
	if bytes.HasPrefix(said, []byte("220 ")) && bytes.Contains(said, []byte("HylaFAX")) {
		return "hylafax"
	}
	// A MySQL server begins with a packet: its length, the number 0, protocol 10 and a version.
	if len(said) > 5 && said[3] == 0 && said[4] == 10 && said[5] >= '0' && said[5] <= '9' {
		return "mysql"
	}
	return ""
}
