package probetest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// hellos are the connections that the modes of TLS may take beside the conversation, and helloAnswer the bytes of each.
var hellos = map[probe.TLSMode]int{probe.TLSModeVersions: 8, probe.TLSModeWeak: 15, probe.TLSModeFull: 1024}

const helloAnswer = 16 << 10

// inspect returns what is wrong with a run that has ended. What a prober may do doesn't depend on the server.
func (g *rig) inspect(p probe.Prober, r *probe.Result, o probe.Options, allowed []probe.Outcome) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var panicked *probe.PanicError
	if errors.As(r.Err, &panicked) {
		add("Probe panicked: %v\n%s", panicked.Value, ownStack(panicked.Stack))
		if r.Evidence == nil {
			add("what was learned before the panic is lost: call Session.Keep as soon as the evidence exists")
		}
		return faults
	}
	var own *probe.Error
	if errors.As(r.Err, &own) && probe.OutcomeOf(own) != own.Outcome {
		add("outcome %q isn't one of the closed set: return errors of the session, or make them with probe.Errorf", own.Outcome)
		return faults
	}
	if fault := checkOutcome(r, allowed); fault != "" {
		add("%s", fault)
	}
	faults = append(faults, checkEvidence(p, r)...)
	for _, own := range g.ownAddresses() {
		if r.Err != nil && strings.Contains(r.Err.Error(), own) {
			add("the error holds our own address and port, which the next scan's won't: %v", r.Err)
		}
	}
	faults = append(faults, checkSends(p, r)...)
	faults = append(faults, g.checkWire(r)...)
	beside := hellos[o.TLS]
	most := o.Limits.BytesIn + int64(beside)*helloAnswer
	if g.target.Network == probe.UDP || slices.ContainsFunc(p.Spec().Companions, func(c probe.Port) bool { return c.Network == probe.UDP }) {
		most += largestDatagram // which isn't cut
	}
	if bound := p.Spec().Bounds.At(r.Level); r.Protocol == p.Spec().Protocol {
		if dialed, _, _ := g.counts(); dialed > bound.Conns+beside {
			add("%d connections at level %v: Spec.Bounds says %d, and TLS may take %d", dialed, r.Level, bound.Conns, beside)
		}
		if r.Elapsed > bound.Time {
			add("took %v at level %v: Spec.Bounds says %v", r.Elapsed, r.Level, bound.Time)
		}
	}
	if _, _, read := g.counts(); read > most {
		add("%d bytes were read, above the limit of %d", read, most)
	}
	for _, address := range g.elsewhere() {
		add("%s was dialled, which isn't on the target's host %v", address, g.target.Addr.Addr())
	}
	return faults
}

// ownStack keeps the part of a panic's stack that the prober is in.
func ownStack(stack []byte) string {
	lines := strings.Split(strings.TrimSpace(string(stack)), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			lines = lines[min(i+2, len(lines)):]
			break
		}
	}
	return strings.Join(lines[:min(len(lines), 12)], "\n")
}

// checkOutcome judges how a run ended: by the server's nature, and never by a fault of the prober's own.
func checkOutcome(r *probe.Result, allowed []probe.Outcome) string {
	if len(allowed) > 0 && slices.Contains(allowed, r.Outcome) {
		return ""
	}
	// At the greeting, a protocol whose client speaks first may have nothing to do.
	if r.Outcome == probe.OutcomeOK && r.Level == probe.LevelGreeting && !anyOf(r.Transcript, probe.DirRecv, probe.DirEnd, probe.DirTLS) {
		return ""
	}
	op := ""
	var e *probe.Error
	if errors.As(r.Err, &e) {
		op = e.Op
	}
	switch r.Outcome {
	case probe.OutcomeInternal:
		return fmt.Sprintf("outcome internal (%v): the prober failed, not the server; give errors of your own an outcome with probe.Errorf", r.Err)
	case probe.OutcomeForbidden:
		if op == "send" {
			return fmt.Sprintf("the guard refuses what the prober sends (%v): they must agree", r.Err)
		}
	case probe.OutcomeCanceled:
		return fmt.Sprintf("outcome canceled (%v), but nobody canceled", r.Err)
	}
	if len(allowed) > 0 {
		return fmt.Sprintf("outcome %s (%v): want one of %v", r.Outcome, r.Err, allowed)
	}
	return ""
}

func clip(b []byte) []byte { return b[:min(len(b), 96)] }

func anyOf(tr probe.Transcript, dirs ...probe.Dir) bool {
	return slices.ContainsFunc(tr, func(e probe.Event) bool { return slices.Contains(dirs, e.Dir) })
}

// checkSends holds each send against a guard that saw the connection's sends before it.
func checkSends(p probe.Prober, r *probe.Result) (faults []string) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	spec := p.Spec()
	guards := map[int]probe.Guard{}
	for _, e := range r.Transcript {
		guard, known := guards[e.Conn]
		if !known {
			guard = spec.NewGuard(probe.Contact{})
			guards[e.Conn] = guard
		}
		switch {
		case e.Dir != probe.DirSend:
		case r.Level == probe.LevelGreeting:
			add("%q was sent at level greeting", clip(e.Data))
		case guard == nil:
			add("%q was sent without a guard", clip(e.Data))
		default:
			if helloLabel.MatchString(e.Label) && len(e.Data) > 0 && (e.Data[0] == 0x16 || e.Data[0]&0x80 != 0) { // a record, of TLS or SSL 2.0
				continue // the session's own guard lets it pass, and nothing behind it
			}
			label, err := guard(r.Level, bytes.Clone(e.Data))
			if err != nil || label != e.Label {
				add("the guard isn't pure: it let %q pass as %q, and now says %q, %v", clip(e.Data), e.Label, label, err)
			}
			if fault := twice(spec, r.Level, e.Data); fault != "" {
				add("%s", fault)
			}
		}
	}
	return faults
}

// helloLabel is what the session calls a ClientHello of its own.
var helloLabel = regexp.MustCompile(`^ClientHello (SSL|TLS) [123]\.[0-3], \d+ suites?$`)

// twice tries whether a guard of a line protocol lets two commands pass as one, or half of one.
func twice(spec probe.Spec, l probe.Level, line []byte) string {
	if !bytes.HasSuffix(line, []byte("\r\n")) || bytes.Count(line, []byte("\n")) > 1 || bytes.ContainsFunc(line[:len(line)-2], control) {
		return ""
	}
	for _, bad := range [][]byte{
		append(bytes.Clone(line), line...), line[:len(line)-2], line[:len(line)-1],
		append(bytes.Clone(line[:len(line)-2]), "\x00\r\n"...), append([]byte("\r\n"), line...),
	} {
		if label, err := spec.NewGuard(probe.Contact{})(l, bad); err == nil {
			return fmt.Sprintf("the guard lets %q pass as %q: want exactly one whole line", clip(bad), label)
		}
	}
	return ""
}

func control(r rune) bool { return r < ' ' || r > '~' }

// checkWire holds what was written below TLS against what the transcript says was sent.
func (g *rig) checkWire(r *probe.Result) (faults []string) {
	if g.replayed {
		return nil // what is sent inside of a replayed TLS comes in cleartext
	}
	type said struct {
		plain []byte // before TLS
		tls   bool
	}
	byConn := map[int]*said{}
	for _, e := range r.Transcript {
		s := byConn[e.Conn]
		switch {
		case e.Dir == probe.DirOpen:
			byConn[e.Conn] = &said{}
		case s == nil:
		case e.Dir == probe.DirTLS:
			s.tls = true
		case e.Dir == probe.DirSend && !s.tls:
			s.plain = append(s.plain, e.Data...)
		}
	}
	// Connections that run side by side have no order in common with the transcript's numbers: the closest match counts.
	matches := []func(s *said, wrote []byte) bool{
		func(s *said, wrote []byte) bool { return !s.tls && bytes.Equal(wrote, s.plain) },
		func(s *said, wrote []byte) bool {
			cipher, ok := bytes.CutPrefix(wrote, s.plain)
			return ok && s.tls && len(cipher) > 0 && cipher[0] == 0x16 // a TLS record with a handshake (RFC 8446 §5.1)
		},
		func(s *said, wrote []byte) bool { return bytes.HasPrefix(s.plain, wrote) }, // a write failed
	}
	left := g.wrote()
	for _, match := range matches {
		left = slices.DeleteFunc(left, func(wrote []byte) bool {
			for id, s := range byConn {
				if match(s, wrote) {
					delete(byConn, id)
					return true
				}
			}
			return false
		})
	}
	for _, wrote := range left {
		faults = append(faults, fmt.Sprintf("%q went over the wire, which no send of the transcript accounts for: write with Conn.Send only", clip(wrote)))
	}
	return faults
}
