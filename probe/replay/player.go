package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/handclasp/handclasp/internal/connid"
	"github.com/handclasp/handclasp/probe"
)

// Reset is the outcome of an end by RST, which a recording doesn't tell from another close: for transcripts that are
// made up. Files don't hold it.
const Reset probe.Outcome = "reset"

// A Player plays the server's part of one recorded conversation, strictly: connections are opened in the recorded
// order, and each send is byte for byte what was recorded at its place. What differs fails the connection with an
// error that says what was expected and what came. No time passes: a recorded timeout happens at once. A read
// that comes before its turn waits a moment for another goroutine's send, or close.
//
// A player plays once. Its fields are set before it does. It may be used by several goroutines.
type Player struct {
	// Split is a position in all that was received, counted through the connections in the order of their numbers, at
	// which a read of a stream ends; 0 for none.
	Split int
	// Drip has each read of a stream give one byte.
	Drip bool
	// Lenient makes a server of it that goes its own way: it takes any message for the one that it waits for, keeps a
	// client waiting that waits for it, and finds no deviation. It plays conversations to which no prober can keep.
	Lenient bool

	mu     sync.Mutex
	sent   *sync.Cond // a send happened, or time is up
	tracks []*track
	dialed int // how many of tracks
	rand   []step
	drawn  int

	lines      []int // where events stand in a file
	deviations []error
}

// A track is what was recorded of one connection.
type track struct {
	id          int
	addr        netip.AddrPort
	network     probe.Network // empty if it is the target's
	open        step
	steps       []step
	next        int
	strays      []step // that are still to come
	first, last int    // its extent in the transcript
	conn        *playedConn
}

// A step is an event at its place. Received data that no other event of the connection parts is one step.
type step struct {
	probe.Event
	pos   int      // in the transcript
	parts [][]byte // as it was recorded: the datagrams
	base  int      // where Data begins in all bytes received by streams
}

// NewPlayer returns a player of the transcript.
func NewPlayer(tr probe.Transcript) *Player {
	p := new(Player)
	p.sent = sync.NewCond(&p.mu)
	byID := map[int]*track{}
	for pos, e := range tr {
		s := step{Event: e, pos: pos}
		t := byID[e.Conn]
		switch {
		case e.Dir == probe.DirRand:
			p.rand = append(p.rand, s)
			continue
		case e.Dir == probe.DirOpen:
			addr, network, _ := parseOpened(string(e.Data)) // an invalid one matches no port
			t = &track{id: e.Conn, addr: addr, network: network, open: s, first: pos}
			byID[e.Conn] = t
			p.tracks = append(p.tracks, t)
		case t == nil:
			p.deviations = append(p.deviations, fmt.Errorf("event %d: connection %d wasn't opened", pos+1, e.Conn))
			continue
		case e.Dir == probe.DirRecv:
			t.receive(s)
		case e.Dir == probe.DirStray:
			t.strays = append(t.strays, s)
		default:
			t.steps = append(t.steps, s)
		}
		t.last = pos
	}
	// A failed attempt is recorded when it fails, behind those that it was started before.
	slices.SortStableFunc(p.tracks, func(a, b *track) int { return cmp.Compare(a.id, b.id) })
	base := 0
	for _, t := range p.tracks {
		for i := range t.steps {
			if s := &t.steps[i]; s.Dir == probe.DirRecv {
				s.base = base
				base += len(s.Data)
			}
		}
	}
	return p
}

func (t *track) receive(s step) {
	s.parts = [][]byte{s.Data}
	if n := len(t.steps); n > 0 && t.steps[n-1].Dir == probe.DirRecv {
		last := &t.steps[n-1]
		last.parts = append(last.parts, s.Data)
		last.Data = append(slices.Clip(last.Data), s.Data...)
		return
	}
	t.steps = append(t.steps, s)
}

// Dial returns a dialer that plays the transcript once, as [Player] does.
func Dial(tr probe.Transcript) probe.DialFunc { return NewPlayer(tr).Dial }

// Dial is a [probe.DialFunc]. The address's port must be the recorded one; its host may differ.
func (p *Player) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Lenient {
		p.choose(connid.From(ctx))
		return p.dialAny(network, address)
	}
	if p.dialed == len(p.tracks) {
		return nil, p.deviate("connection %d to %s: none was recorded any more", p.dialed+1, address)
	}
	p.choose(connid.From(ctx))
	t := p.tracks[p.dialed]
	ap, err := netip.ParseAddrPort(address)
	if err != nil || ap.Port() != t.addr.Port() || t.network != "" && string(t.network) != network {
		return nil, p.deviate("%s: connection %d went to %s, not to %s over %s", p.at(t.open), t.id, t.open.Data, address, network)
	}
	p.dialed++
	if t.open.Outcome != "" {
		return nil, dialError(network, t.open.Outcome)
	}
	c := &playedConn{p: p, t: t, network: network, remote: ap}
	t.conn = c
	return c, nil
}

// choose makes the track of a connection's number the next, if several are dialled at once.
func (p *Player) choose(id int) {
	for i := p.dialed; id > 0 && i < len(p.tracks); i++ {
		if t := p.tracks[i]; t.id == id {
			copy(p.tracks[p.dialed+1:i+1], p.tracks[p.dialed:i])
			p.tracks[p.dialed] = t
			return
		}
	}
}

// Rand returns the recorded random bytes, in order, and fails when they are exhausted.
func (p *Player) Rand() io.Reader { return playedRand{p} }

type playedRand struct{ p *Player }

func (r playedRand) Read(b []byte) (int, error) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.rand) > 0 && p.drawn == len(p.rand[0].Data) {
		p.rand, p.drawn = p.rand[1:], 0
	}
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.rand) == 0 {
		return 0, p.deviate("%d random bytes: none were recorded any more", len(b))
	}
	n := copy(b, p.rand[0].Data[p.drawn:])
	p.drawn += n
	return n, nil
}

// Err returns how the replay differed from what was recorded: what was unexpected, or else what didn't happen. It is
// nil if all of it happened. Ask when the run is over.
func (p *Player) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.deviations) > 0 {
		return errors.Join(p.deviations...)
	}
	return errors.Join(p.missing()...)
}

// missing lists what was recorded and didn't happen, a few of them.
func (p *Player) missing() (list []error) {
	const few = 5
	add := func(s step) {
		switch {
		case len(list) < few:
			list = append(list, fmt.Errorf("%s: didn't happen: %s", p.at(s), describe(s)))
		case len(list) == few:
			list = append(list, errors.New("and more"))
		}
	}
	for i, t := range p.tracks {
		if i >= p.dialed {
			add(t.open)
			continue
		}
		for _, s := range t.steps[t.next:] {
			if !decidedByProbe(s) {
				add(s)
			}
		}
		for _, s := range t.strays {
			add(s)
		}
	}
	for i, s := range p.rand {
		if i > 0 || p.drawn < len(s.Data) {
			add(s)
		}
	}
	return list
}

// decidedByProbe reports whether the session came to the event by itself, without asking the connection: its limits
// and its caller ended it, or plaintext was left when TLS was to begin.
func decidedByProbe(s step) bool {
	switch s.Dir {
	case probe.DirEnd:
		return s.Outcome == probe.OutcomeLimit || s.Outcome == probe.OutcomeCanceled || s.Outcome == probe.OutcomeInternal
	case probe.DirTLS:
		return s.Outcome == probe.OutcomeInternal || s.Outcome != "" && s.TLS != nil && len(s.TLS.LeftoverPlaintext) > 0
	}
	return false
}

// deviate notes a deviation and returns it as the error that a session passes on.
func (p *Player) deviate(format string, args ...any) *probe.Error {
	e := probe.Errorf("replay", probe.OutcomeInternal, format, args...)
	p.deviations = append(p.deviations, e.Err)
	return e
}

func (p *Player) at(s step) string {
	if s.pos < len(p.lines) {
		return fmt.Sprintf("line %d", p.lines[s.pos])
	}
	return fmt.Sprintf("event %d", s.pos+1)
}

func describe(s step) string {
	switch s.Dir {
	case probe.DirOpen:
		return fmt.Sprintf("connection %d to %s", s.Conn, s.Data)
	case probe.DirSend:
		return fmt.Sprintf("sending %q on connection %d", clip(s.Data), s.Conn)
	case probe.DirRecv:
		return fmt.Sprintf("reading %q on connection %d", clip(s.Data), s.Conn)
	case probe.DirTLS:
		return fmt.Sprintf("a TLS handshake on connection %d", s.Conn)
	case probe.DirEnd:
		return fmt.Sprintf("reading the end (%s) of connection %d", s.Outcome, s.Conn)
	case probe.DirStray:
		return fmt.Sprintf("hearing %q from %s on connection %d", clip(s.Data), s.Label, s.Conn)
	case probe.DirRand:
		return fmt.Sprintf("drawing %d random bytes", len(s.Data))
	}
	return string(s.Dir)
}

func clip(b []byte) []byte { return b[:min(len(b), 96)] }
