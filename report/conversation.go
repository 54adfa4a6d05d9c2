package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/rawjson"
	"github.com/handclasp/handclasp/probe"
)

// spoken is one line of a transcript, made safe to print.
type spoken struct {
	Who   string // "C" for the client, "S" for the server, with the connection's number from the second one on; empty for a note
	Text  string
	Proof bool // a finding rests on it
}

// Client reports whether the client said it.
func (s spoken) Client() bool { return strings.HasPrefix(s.Who, "C") }

// How much of a transcript is shown. The whole is in the record.
const (
	linesShown   = 60  // of an endpoint
	excerptShown = 12  // of a finding
	eventShown   = 24  // of one thing that was said
	lineWidth    = 240 // columns
)

// conversation is the beginning of a transcript as lines, and how many events of it weren't shown.
func conversation(t probe.Transcript, needles []string, most int) (lines []spoken, hidden int) {
	for i, e := range t {
		if len(lines) >= most {
			return lines, len(t) - i
		}
		lines = append(lines, eventLines(e, needles, min(eventShown, most-len(lines)))...)
	}
	return lines, 0
}

// eventLines puts an event into at most most lines.
func eventLines(e probe.Event, needles []string, most int) []spoken {
	switch e.Dir {
	case probe.DirSend:
		return dataLines(who("C", e.Conn), e.Data, nil, most)
	case probe.DirRecv:
		return dataLines(who("S", e.Conn), e.Data, needles, most)
	case probe.DirStray:
		return []spoken{{Text: note("connection %d: %d bytes from %s, which wasn't asked", e.Conn, len(e.Data), e.Label)}}
	case probe.DirOpen:
		return []spoken{{Text: note("connection %d to %s", e.Conn, e.Data) + failure(e)}}
	case probe.DirEnd:
		return []spoken{{Text: note("connection %d ended", e.Conn) + failure(e)}}
	case probe.DirTLS:
		text := note("connection %d: TLS handshake", e.Conn)
		if e.TLS != nil && e.TLS.Version != "" {
			text = note("connection %d: TLS %s, %s", e.Conn, e.TLS.Version, e.TLS.CipherSuite)
		}
		if e.TLS != nil && len(e.TLS.Chain) > 0 {
			text += note(", certificate of %s", e.TLS.Chain[0].Subject)
		}
		return []spoken{{Text: text + failure(e), Proof: slices.Contains(needles, tlsNeedle)}}
	}
	return nil
}

func note(format string, args ...any) string { return fit(fmt.Sprintf(format, args...), lineWidth) }

func failure(e probe.Event) string {
	if e.Outcome == "" {
		return ""
	}
	return note(": %s", e.Outcome)
}

func who(letter string, conn int) string {
	if conn > 1 {
		return fmt.Sprint(letter, conn)
	}
	return letter
}

// dataLines are lines of text, or of bytes in hexadecimal if the data is no text.
func dataLines(who string, data []byte, needles []string, most int) (lines []spoken) {
	if isBinary(data) {
		return hexLines(who, data, needles, most)
	}
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if len(lines) == most-1 && len(rest) > 0 {
			return append(lines, spoken{who, fmt.Sprintf("… and %d more bytes", len(data)), false})
		}
		data = rest
		text := string(bytes.TrimSuffix(line, []byte("\r")))
		hit := slices.ContainsFunc(needles, func(n string) bool { return strings.Contains(text, n) })
		lines = append(lines, spoken{who, fit(text, lineWidth), hit})
	}
	return lines
}

// isBinary reports whether data is rather bytes than text: escape codes in a banner don't make it binary.
func isBinary(data []byte) bool {
	odd := 0
	for rest := data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 || r < ' ' && r != '\r' && r != '\n' && r != '\t' {
			odd++
		}
		rest = rest[n:]
	}
	return odd*4 > len(data)
}

// hexLines are sixteen bytes a line, those marked that share a byte with a needle's first appearance.
func hexLines(who string, data []byte, needles []string, most int) (lines []spoken) {
	hits := map[int]bool{}
	for _, n := range needles {
		if at := bytes.Index(data, []byte(n)); at >= 0 {
			for row := at / 16; row <= (at+len(n)-1)/16; row++ {
				hits[row] = true
			}
		}
	}
	for row := 0; row*16 < len(data); row++ {
		rest := data[row*16:]
		if row == most-1 && len(rest) > 16 {
			return append(lines, spoken{who, fmt.Sprintf("… and %d more bytes", len(rest)), false})
		}
		rest = rest[:min(16, len(rest))]
		text := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, latin1(rest))
		lines = append(lines, spoken{who, fmt.Sprintf("%-47s  %s", fmt.Sprintf("% x", rest), text), hits[row]})
	}
	return lines
}

// latin1 gives each byte a character of its own.
func latin1(row []byte) string {
	runes := make([]rune, len(row))
	for i, b := range row {
		runes[i] = rune(b)
	}
	return string(runes)
}

// excerpt is where a finding's proof was said, each place with the question before it; the beginning of the
// conversation if the proof isn't said in so many words.
func excerpt(t probe.Transcript, document *document, f finding.Finding) []spoken {
	if len(t) == 0 {
		return nil
	}
	needles := needles(document, f)
	var places []int
	for i, e := range t {
		if len(places) < 2 && (e.Dir == probe.DirRecv || e.Dir == probe.DirTLS) &&
			slices.ContainsFunc(eventLines(e, needles, eventShown), func(l spoken) bool { return l.Proof }) {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		lines, hidden := conversation(t, nil, excerptShown)
		if hidden > 0 {
			lines = append(lines, spoken{Text: "…"})
		}
		return lines
	}
	var lines []spoken
	shown := -1
	for _, i := range places {
		from := question(t, i, shown+1)
		if from > shown+1 && len(lines) > 0 {
			lines = append(lines, spoken{Text: "…"})
		}
		if from < i {
			lines = append(lines, eventLines(t[from], nil, 3)...)
		}
		lines = append(lines, around(eventLines(t[i], needles, eventShown), excerptShown/2)...)
		shown = i
	}
	return lines
}

// question is the index of what was sent last before event i on its connection, from first on, or i.
func question(t probe.Transcript, i, first int) int {
	for q := i - 1; q >= first; q-- {
		if t[q].Conn == t[i].Conn && t[q].Dir == probe.DirSend {
			return q
		}
		if t[q].Conn == t[i].Conn && t[q].Dir == probe.DirRecv {
			break
		}
	}
	return i
}

// around cuts lines down to those about the first proof.
func around(lines []spoken, most int) []spoken {
	if len(lines) <= most {
		return lines
	}
	first := max(0, slices.IndexFunc(lines, func(l spoken) bool { return l.Proof }))
	from := min(max(0, first-1), len(lines)-most)
	cut := slices.Clone(lines[from : from+most])
	if from > 0 {
		cut = append([]spoken{{lines[0].Who, "…", false}}, cut...)
	}
	if from+most < len(lines) {
		cut = append(cut, spoken{lines[0].Who, "…", false})
	}
	return cut
}

// tlsNeedle stands for the TLS handshake among needles.
const tlsNeedle = "\x00tls"

// needles are texts that a transcript holds if it holds the proof of f.
func needles(document *document, f finding.Finding) []string {
	const most = 16
	var list []string
	for _, pointer := range f.Basis {
		if strings.HasPrefix(pointer, "/evidence/tls/") {
			list = append(list, tlsNeedle)
			continue
		}
		if value, err := document.resolve(pointer); err == nil {
			list = append(list, said(value)...)
		}
		if len(list) >= most {
			return list[:most]
		}
	}
	return list
}

// said are the words of a value: a reply's lines with its code, a string, or those of a list's elements.
func said(value json.RawMessage) (words []string) {
	var list []json.RawMessage
	var reply struct {
		Code  *int     `json:"code"`
		Lines []string `json:"lines"`
		Name  string   `json:"name"`
	}
	text, isText := rawjson.Text(value)
	switch {
	case isText:
		words = []string{text}
	case json.Unmarshal(value, &list) == nil:
		for _, v := range list[:min(len(list), 16)] {
			words = append(words, said(v)...)
		}
	case json.Unmarshal(value, &reply) == nil && reply.Code != nil:
		for _, line := range reply.Lines {
			if *reply.Code == 0 {
				words = append(words, line)
				continue
			}
			words = append(words, fmt.Sprint(*reply.Code, " ", line), fmt.Sprint(*reply.Code, "-", line))
		}
	default:
		words = []string{reply.Name}
	}
	const tooShort = 3 // to say where it was said
	return slices.DeleteFunc(words, func(w string) bool { return len(w) <= tooShort })
}
