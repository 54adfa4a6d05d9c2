package replay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// isFailure reports whether the word is an outcome that may follow open, tls and end.
func isFailure(word string) bool {
	o := probe.Outcome(word)
	return probe.OutcomeOf(&probe.Error{Outcome: o}) == o // internal for a word that is none
}

// headerKey matches what looks like a header line, a misspelt one included; other lines of the head are comments.
var headerKey = regexp.MustCompile(`^([a-z_]+):\s*(.*)$`)

// Parse reads the text form of a recording, which the package's documentation describes. Errors name the line.
func Parse(text []byte) (*Recording, error) {
	p := parser{r: new(Recording), opened: map[int]bool{}, joined: map[int]bool{}}
	for i, line := range strings.Split(string(text), "\n") {
		p.line = i + 1
		line = strings.TrimSpace(line)
		var err error
		switch {
		case line == "":
		case strings.HasPrefix(line, "#"):
			err = p.head(strings.TrimSpace(line[1:]))
		default:
			err = p.event(line)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	return p.r, p.finish()
}

type parser struct {
	r      *Recording
	line   int
	opened map[int]bool // connections, and whether they were established
	joined map[int]bool // connections whose received lines may be one chunk: those that aren't over UDP
}

func (p *parser) head(text string) error {
	m := headerKey.FindStringSubmatch(text)
	if m == nil {
		p.r.Comments = append(p.r.Comments, text)
		return nil
	}
	if len(p.r.Transcript) > 0 {
		return fmt.Errorf("header %q stands behind the first event", m[1])
	}
	var err error
	switch key, value := m[1], m[2]; key {
	case "server":
		p.r.Server = value
	case "captured":
		p.r.Captured = value
	case "level":
		p.r.Level, err = probe.ParseLevel(value)
	case "target":
		p.r.Target.Addr, err = netip.ParseAddrPort(value)
	case "network":
		p.r.Target.Network = probe.Network(value)
		if value != string(probe.TCP) && value != string(probe.UDP) {
			err = fmt.Errorf("network %q: use tcp or udp", value)
		}
	case "name":
		p.r.Target.Name = value
	case "implicit_tls":
		p.r.ImplicitTLS = probe.Fact(value)
		if value != string(probe.Yes) && value != string(probe.No) {
			err = fmt.Errorf("implicit_tls %q: use yes or no", value)
		}
	case "tls":
		p.r.TLS, err = probe.ParseTLSMode(value)
	default:
		err = fmt.Errorf("unknown header %q: use server, captured, level, target, network, name, implicit_tls or tls", key)
	}
	return err
}

func (p *parser) event(line string) error {
	number, rest, _ := strings.Cut(line, " ")
	conn, err := strconv.Atoi(number)
	if err != nil || conn < 0 {
		return fmt.Errorf("%q: want a connection's number first", line)
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	rest = strings.TrimSpace(rest)
	e := probe.Event{Conn: conn}
	if err := p.placed(conn, kind); err != nil {
		return err
	}
	switch kind {
	case "open":
		e.Dir = probe.DirOpen
		err = p.open(&e, rest)
	case ">":
		e.Dir = probe.DirSend
		e.Data, e.Label, err = quoted(rest)
	case "<":
		e.Dir = probe.DirRecv
		e.Data, err = quotedAlone(rest)
		if err == nil && p.joins(conn) {
			last := &p.r.Transcript[len(p.r.Transcript)-1]
			last.Data = append(last.Data, e.Data...)
			return nil
		}
	case "tls":
		e.Dir = probe.DirTLS
		err = tlsEvent(&e, rest)
	case "end":
		e.Dir = probe.DirEnd
		word, label, _ := strings.Cut(rest, " ")
		e.Outcome, e.Label = probe.Outcome(word), strings.TrimSpace(label)
		if !isFailure(word) {
			err = fmt.Errorf("%q is no outcome of an end, such as closed or timeout", word)
		}
	case "stray":
		e.Dir = probe.DirStray
		e.Data, e.Label, err = quoted(rest)
		if _, bad := netip.ParseAddrPort(e.Label); err == nil && bad != nil {
			err = fmt.Errorf("%q is not where a datagram comes from: want an IP address and a port", e.Label)
		}
	case "rand":
		e.Dir = probe.DirRand
		e.Data, err = quotedAlone(rest)
	default:
		return fmt.Errorf("unknown event %q: use open, >, <, tls, end, stray or rand", kind)
	}
	if err != nil {
		return err
	}
	p.r.Transcript = append(p.r.Transcript, e)
	p.r.lines = append(p.r.lines, p.line)
	return nil
}

// placed checks that an event stands on a connection that can have it.
func (p *parser) placed(conn int, kind string) error {
	established, known := p.opened[conn]
	switch {
	case kind == "rand" && conn != 0:
		return fmt.Errorf("rand belongs to the session: want connection 0")
	case kind == "rand":
		return nil
	case conn == 0:
		return fmt.Errorf("connection 0 is the session, which has rand events only")
	case kind == "open" && known:
		return fmt.Errorf("connection %d is opened twice", conn)
	case kind != "open" && !known:
		return fmt.Errorf("connection %d wasn't opened", conn)
	case kind != "open" && !established:
		return fmt.Errorf("connection %d failed to open", conn)
	}
	return nil
}

func (p *parser) open(e *probe.Event, rest string) error {
	addr, word, failed := strings.Cut(rest, " ")
	word = strings.TrimSpace(word)
	_, network, err := parseOpened(addr)
	if err != nil {
		return fmt.Errorf("open %q: want an IP address and a port", addr)
	}
	if failed && !isFailure(word) {
		return fmt.Errorf("%q is no outcome of a failed open, such as refused or timeout", word)
	}
	e.Data, e.Outcome = []byte(addr), probe.Outcome(word)
	p.opened[e.Conn] = !failed
	p.joined[e.Conn] = cmp.Or(network, p.r.Target.Network) != probe.UDP
	return nil
}

// parseOpened reads the data of an open event; the network is empty if it is the target's.
func parseOpened(text string) (addr netip.AddrPort, network probe.Network, err error) {
	text, suffix, found := strings.Cut(text, "/")
	network = probe.Network(suffix)
	if found && network != probe.TCP && network != probe.UDP {
		return addr, "", fmt.Errorf("network %q: use tcp or udp", suffix)
	}
	addr, err = netip.ParseAddrPort(text)
	return addr, network, err
}

// joins reports whether received data continues the event before it.
func (p *parser) joins(conn int) bool {
	if !p.joined[conn] || len(p.r.Transcript) == 0 {
		return false
	}
	last := p.r.Transcript[len(p.r.Transcript)-1]
	return last.Dir == probe.DirRecv && last.Conn == conn
}

func (p *parser) finish() error {
	for _, e := range p.r.Transcript {
		if e.Dir == probe.DirOpen && !p.r.Target.Addr.IsValid() {
			p.r.Target.Addr, _, _ = parseOpened(string(e.Data)) // checked by open
		}
	}
	if p.r.Target.Network == "" {
		p.r.Target.Network = probe.TCP
	}
	if !p.r.Target.Addr.IsValid() {
		return fmt.Errorf("line %d: neither a target nor an open event", p.line)
	}
	return nil
}

func quoted(text string) (data []byte, rest string, err error) {
	prefix, err := strconv.QuotedPrefix(text)
	if err != nil {
		return nil, "", fmt.Errorf("%s: want a Go string in double quotes", text)
	}
	s, err := strconv.Unquote(prefix)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", prefix, err)
	}
	return []byte(s), strings.TrimSpace(text[len(prefix):]), nil
}

func quotedAlone(text string) ([]byte, error) {
	data, rest, err := quoted(text)
	if err == nil && rest != "" {
		err = fmt.Errorf("%q behind the data", rest)
	}
	return data, err
}

func tlsEvent(e *probe.Event, rest string) error {
	if !strings.HasPrefix(rest, "{") {
		word, seen, _ := strings.Cut(rest, " ")
		if !isFailure(word) {
			return fmt.Errorf("%q: want the handshake as JSON, behind its outcome if it failed", rest)
		}
		e.Outcome, rest = probe.Outcome(word), strings.TrimSpace(seen)
	}
	e.TLS = new(probe.TLS)
	if rest != "" {
		dec := json.NewDecoder(bytes.NewReader([]byte(rest)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(e.TLS); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
	}
	e.TLS = normalTLS(e.TLS)
	return nil
}
