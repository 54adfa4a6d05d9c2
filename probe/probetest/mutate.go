package probetest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// A mutation tells a conversation wrong from one event on.
type mutation struct {
	name string
	tr   probe.Transcript
	upTo int // the events that it may differ in end here
}

// mutations returns a conversation told wrong in every way, at each event. Each is small enough to keep in memory.
func mutations(tr probe.Transcript, size int) (list []mutation) {
	for i, e := range tr {
		change := func(name string, events ...probe.Event) {
			m := slices.Concat(tr[:i:i], events, tr[i+1:])
			list = append(list, mutation{fmt.Sprintf("event %d: %s", i+1, name), m, i + len(events)})
		}
		end := func(name string, o probe.Outcome, before ...probe.Event) {
			before = append(before, probe.Event{Conn: e.Conn, Dir: probe.DirEnd, Outcome: o})
			m := slices.Concat(tr[:i:i], before, without(tr[i+1:], e.Conn))
			list = append(list, mutation{fmt.Sprintf("event %d: %s", i+1, name), m, i + len(before)})
		}
		switch e.Dir {
		case probe.DirRecv:
			end("close", probe.OutcomeClosed)
			end("RST", replay.Reset)
			end("silence", probe.OutcomeTimeout)
			half := with(e, e.Data[:len(e.Data)/2])
			end("half, then close", probe.OutcomeClosed, half)
			end("half, then RST", replay.Reset, half)
			end("half, then silence", probe.OutcomeTimeout, half)
			change("left out")
			change("twice", e, e)
			for _, c := range chunks(e.Data, size) {
				change(c.name, with(e, c.data))
			}
			if i+1 < len(tr) && tr[i+1].Dir == probe.DirTLS {
				change("plaintext behind the go-ahead", with(e, append(bytes.Clone(e.Data), "250 injected\r\n"...)))
				change("garbage behind the go-ahead", with(e, append(bytes.Clone(e.Data), garbage(64)...)))
			}
		case probe.DirTLS:
			end("close in the place of TLS", probe.OutcomeClosed)
			failed := func(o probe.Outcome) probe.Event {
				return probe.Event{Conn: e.Conn, Dir: probe.DirTLS, Outcome: o, TLS: &probe.TLS{Mode: "starttls", Error: "tls: failed"}}
			}
			change("TLS fails", failed(probe.OutcomeTLS))
			change("TLS takes too long", failed(probe.OutcomeTimeout))
			change("TLS without a chain", probe.Event{Conn: e.Conn, Dir: probe.DirTLS, TLS: &probe.TLS{Mode: "starttls"}})
		case probe.DirOpen:
			for _, o := range []probe.Outcome{probe.OutcomeRefused, probe.OutcomeTimeout, probe.OutcomeUnreachable} {
				failed := e
				failed.Outcome = o
				list = append(list, mutation{fmt.Sprintf("event %d: open %s", i+1, o), slices.Concat(tr[:i:i], probe.Transcript{failed}, without(tr[i+1:], e.Conn)), i + 1})
			}
		}
	}
	return list
}

func with(e probe.Event, data []byte) probe.Event {
	e.Data = data
	return e
}

// without leaves out what is said on one connection.
func without(tr probe.Transcript, conn int) probe.Transcript {
	return slices.DeleteFunc(slices.Clone(tr), func(e probe.Event) bool { return e.Conn == conn })
}

type chunk struct {
	name string
	data []byte
}

// patches and textPatches bound the positions of a chunk at which numbers are replaced. Text has few that are binary.
const (
	patches     = 48
	textPatches = 8
)

// chunks returns what may stand in the place of received data.
func chunks(data []byte, size int) []chunk {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	list := []chunk{
		{"garbage", garbage(max(len(data), 16))},
		{"NULs", make([]byte, max(len(data), 16))},
		{"an endless line", bytes.Repeat([]byte("A"), size)},
		{"an endless line behind it", append(bytes.Clone(line), bytes.Repeat([]byte("A"), size)...)},
		{"for ever", repeated(data, size)},
		{"its first line for ever", repeated(append(bytes.Clone(line), '\n'), size)},
		{"not UTF-8", notUTF8(data)},
		{"HTTP", []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")},
		{"upside down", reversed(data)},
		{"in capitals", bytes.ToUpper(data)},
		{"LF only", bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))},
		{"no digits but 9", nines(data)},
	}
	if len(line) > 3 {
		more := bytes.Clone(line)
		more[3] = '-'
		list = append(list, chunk{"a reply that goes on for ever", repeated(append(more, '\n'), size)})
	}
	// Lengths, counts and offsets of binary headers.
	step := max(len(data)/patches, 1)
	if isText(data) {
		step = max(len(data)/textPatches, 1)
	}
	for at := 0; at < len(data); at += step {
		for _, value := range []string{"\x00", "\xff", "\xff\xff", "\x00\x00\x00\x00", "\xff\xff\xff\xff", "\xff\xff\xff\x7f"} {
			patched := bytes.Clone(data)
			copy(patched[at:], value)
			list = append(list, chunk{fmt.Sprintf("%x at %d", value, at), patched})
		}
	}
	return list
}

func isText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\r\n\t", r) })
}

func repeated(data []byte, size int) []byte {
	if len(data) == 0 {
		return nil
	}
	return bytes.Repeat(data, size/len(data)+1)
}

func notUTF8(data []byte) []byte {
	b := bytes.Clone(data)
	for i := range b {
		if b[i] >= 'a' && b[i] <= 'z' {
			b[i] |= 0x80
		}
	}
	return b
}

func reversed(data []byte) []byte {
	b := bytes.Clone(data)
	slices.Reverse(b)
	return b
}

func nines(data []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if strings.ContainsRune("012345678", r) {
			return '9'
		}
		return r
	}, data)
}

func digest(tr probe.Transcript) [sha256.Size]byte {
	h := sha256.New()
	for _, e := range tr {
		fmt.Fprintln(h, e.Conn, e.Dir, e.Outcome, e.TLS, len(e.Data))
		_, _ = h.Write(e.Data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// mutations adds the trials of a conversation that is told wrong.
func (s *suite) mutations(r recorded) {
	for _, m := range mutations(r.Transcript, int(s.limits.BytesIn)+1) {
		// Conversations begin alike, and the same fault at the same place needs to be tried once.
		beginning := fmt.Sprint(r.Level, r.ImplicitTLS, r.TLS, r.Target, digest(m.tr[:m.upTo]))
		if s.told[beginning] {
			continue
		}
		s.told[beginning] = true
		s.add(&trial{
			part: "told wrong: " + r.name, name: m.name, target: r.Target, played: true,
			options: probe.Options{Level: r.Level, ImplicitTLS: r.ImplicitTLS, TLS: cmp.Or(r.TLS, s.tls), Limits: s.limits},
			lead: func() (*led, error) {
				player := replay.NewPlayer(m.tr)
				player.Lenient = true
				return &led{dial: player.Dial, stop: func() {}}, nil
			},
		})
	}
}

// realTLS adds trials of servers that tell a recorded conversation over a real connection up to a handshake, and then
// do something else.
func (s *suite) realTLS(r recorded) {
	if r.Target.Network == probe.UDP {
		return
	}
	// Handshakes of later connections are reached by way of the first only.
	first := slices.DeleteFunc(slices.Clone(r.Transcript), func(e probe.Event) bool { return e.Conn != 1 })
	at := slices.IndexFunc(first, func(e probe.Event) bool { return e.Dir == probe.DirTLS })
	if at < 0 {
		return
	}
	for _, e := range tlsEndings("250 injected\r\n", nil) {
		server := Server{Serve: tellUntil(first[:at], e.act)}
		s.add(&trial{
			part: "told wrong: " + r.name, name: "the go-ahead, then " + e.name, target: r.Target,
			options: probe.Options{Level: r.Level, ImplicitTLS: r.ImplicitTLS, TLS: cmp.Or(r.TLS, s.tls), Limits: s.limits},
			lead:    leadToServer(server),
		})
	}
}
