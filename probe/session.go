package probe

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/handclasp/handclasp/internal/calling"
)

// A Session is one probe's access to one host. Its methods may be called from several goroutines.
type Session struct {
	life   life
	spec   Spec
	target Target
	opts   Options
	log    recorder

	bytesIn, bytesOut atomic.Int64

	maxConns int // of the limits and the Spec's bound the lower, and what Options.TLS may take beside

	mu          sync.Mutex
	tlsSessions tls.ClientSessionCache // made when it is needed
	beforeTLS   string                 // what the guard called the message before the last handshake behind a go-ahead
	lost        []part                 // in the order in which they were lost
	conns       []*Conn                // those that are open
	calls       []net.Conn             // those that are being opened
	opened      int
	aborted     bool // the life was ended: no deadline may be set any more
	kept        Evidence
	handed      *Handed // the next Open's, if there is one
}

// newSession returns a session that may begin, or says why not. It takes its options over into its own memory at once: a
// thousand copies on the stacks of those that wait for a server cost more than what is said.
func newSession(ctx context.Context, p Prober, t *Target, o *Options) (s *Session, err error) {
	s = &Session{target: t.normal()}
	s.log.start = time.Now()
	if o != nil {
		s.opts = *o
	}
	if s.spec, err = specOf(p); err != nil {
		return s, err
	}
	if err := check(s.target, &s.opts); err != nil {
		return s, err
	}
	limits := &s.opts.Limits
	*limits = limits.Effective()
	s.maxConns = limits.Conns
	most := s.spec.Bounds.At(s.opts.Level)
	if most.Time > 0 {
		limits.Total = min(limits.Total, most.Time)
	}
	if most.Conns > 0 {
		s.maxConns = min(s.maxConns, most.Conns)
	}
	s.log.begin(s.opts.Trace, s.opts.Level)
	s.life.caller, s.life.due = ctx, s.log.start.Add(limits.Total)
	return s, nil
}

// Target returns what is probed, its network filled in.
func (s *Session) Target() Target { return s.target }

// Level returns how far the probe may go.
func (s *Session) Level() Level { return s.opts.Level }

// Contact returns what the visitor says of itself.
func (s *Session) Contact() Contact { return s.opts.Contact }

// Limits returns the limits in force.
func (s *Session) Limits() Limits { return s.opts.Limits }

// ImplicitTLS reports whether the target speaks TLS from the first byte: as Options say, else as the Spec lists its
// port.
func (s *Session) ImplicitTLS() bool {
	if s.opts.ImplicitTLS != Unknown {
		return s.opts.ImplicitTLS == Yes
	}
	for _, p := range s.spec.Ports {
		if p.Number == s.target.Addr.Port() && p.Network == s.target.Network {
			return p.ImplicitTLS
		}
	}
	return false
}

// Keep makes e the result's evidence should the prober panic before it returns. Call it as soon as e exists.
func (s *Session) Keep(e Evidence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = e
}

// Rand is a source of unpredictable bytes for names and identifiers. What is read from it is recorded, so that a
// replay can give the same bytes again.
func (s *Session) Rand() io.Reader { return sessionRand{s} }

type sessionRand struct{ s *Session }

func (r sessionRand) Read(p []byte) (int, error) {
	src := r.s.opts.Rand
	if src == nil {
		src = rand.Reader
	}
	n, err := src.Read(p)
	r.s.log.add(Event{Dir: DirRand, Data: p[:n]})
	return n, err
}

// RandomName returns n random lower-case letters: a name that nothing on the server has.
func (s *Session) RandomName(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.Rand(), b); err != nil {
		return "", &Error{Op: "rand", Outcome: OutcomeInternal, Err: err}
	}
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	return string(b), nil
}

// Open connects to the target. It takes no address: a session reaches one host only.
func (s *Session) Open(ctx context.Context) (*Conn, error) {
	if id, ok := ctx.Value(reservedKey{}).(int); ok {
		return s.openReserved(ctx, id)
	}
	if h := s.takeHanded(); h != nil {
		return h.Conn, h.Err
	}
	return s.open(ctx, endpoint{s.target.Network, s.target.Addr.Port()}, false)
}

// OpenPort connects to another TCP port of the target's host, for a data connection that the server announced. The
// connection receives only: its Send refuses everything. Ports below 1024 are refused, since data never comes from a
// well-known service.
func (s *Session) OpenPort(ctx context.Context, port uint16) (*Conn, error) {
	if port < 1024 {
		return nil, Errorf("dial", OutcomeForbidden, "port %d is below 1024", port)
	}
	return s.open(ctx, endpoint{s.target.Network, port}, true)
}

// OpenCompanion connects to another port of the target's host, one of those that the protocol's Spec names as
// Companions. The guard sees what is sent there as well.
func (s *Session) OpenCompanion(ctx context.Context, p Port) (*Conn, error) {
	to := endpoint{cmp.Or(p.Network, TCP), p.Number}
	for _, known := range s.spec.Companions {
		if to == (endpoint{cmp.Or(known.Network, TCP), known.Number}) {
			return s.open(ctx, to, false)
		}
	}
	return nil, Errorf("dial", OutcomeForbidden, "%s port %d is no companion of %s", to.network, to.port, s.spec.Protocol)
}

// asError makes no interface of a nil pointer.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

// An endpoint is a port of the target's host.
type endpoint struct {
	network Network
	port    uint16
}

func (s *Session) open(ctx context.Context, to endpoint, receiveOnly bool) (*Conn, error) {
	s.mu.Lock()
	if s.opened >= s.maxConns {
		s.mu.Unlock()
		return nil, s.connLimit()
	}
	s.opened++
	id := s.opened
	s.mu.Unlock()
	return s.openAs(ctx, id, to, receiveOnly)
}

// openAs opens the connection of a number that is its own.
func (s *Session) openAs(ctx context.Context, id int, to endpoint, receiveOnly bool) (*Conn, error) {
	c := &Conn{s: s, id: id, network: to.network, receiveOnly: receiveOnly}
	addr := netip.AddrPortFrom(s.target.Addr.Addr(), to.port)
	w := calling.From(s.life.caller)
	if w != nil {
		w.Calling()
	}
	raw, err := s.dial(ctx, to.network, addr)
	if w != nil {
		w.Called(asError(err))
	}
	s.logOpen(id, to.network, addr, err)
	if err != nil {
		return nil, err
	}
	c.raw.Conn, c.raw.c, c.raw.idle = raw, c, s.opts.Limits.Idle
	c.rw = &c.raw
	c.oneAtATime(true)
	_ = c.raw.arm() // for what is read or written first, where the stack isn't deep

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aborted || s.life.Err() != nil {
		_ = raw.Close()
		return nil, s.contextError("dial")
	}
	s.conns = append(s.conns, c)
	return c, nil
}

func (s *Session) logOpen(id int, network Network, addr netip.AddrPort, err *Error) {
	var text [64]byte
	at := addr.AppendTo(text[:0])
	if network != s.target.Network {
		at = append(at, "/"+network...)
	}
	var o Outcome
	if err != nil {
		o = err.Outcome
	}
	s.log.opened(id, at, o)
}

// dial establishes a connection within the dial time. It returns when the context ends even if a custom dialer
// doesn't; a connection that comes too late is closed.
//
// What is rare here has functions of its own: a goroutine that waits for a host has its whole stack in memory, and a thousand may.
func (s *Session) dial(ctx context.Context, network Network, addr netip.AddrPort) (net.Conn, *Error) {
	if !s.owns(ctx) {
		return s.dialWithin(ctx, network, addr)
	}
	raw, err := s.dialBy(ctx, network, addr)
	if err != nil {
		return nil, s.dialError(ctx, false, err)
	}
	return raw, nil
}

// dialWithin dials under a context that a prober made: either that or the session's ends it.
func (s *Session) dialWithin(ctx context.Context, network Network, addr netip.AddrPort) (net.Conn, *Error) {
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(&s.life, cancel)()
	raw, err := s.dialBy(both, network, addr)
	if err != nil {
		return nil, s.dialError(both, true, err)
	}
	return raw, nil
}

// pass passes the gate of the options.
func (s *Session) pass(ctx context.Context, to netip.AddrPort) (err error) {
	if s.opts.Gate == nil {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = Errorf("dial", OutcomeInternal, "gate panicked: %v", v)
		}
	}()
	return s.opts.Gate(ctx, to)
}

// dialBy dials by the dialer of the options or the system's, once the gate was passed.
func (s *Session) dialBy(ctx context.Context, network Network, addr netip.AddrPort) (net.Conn, error) {
	if err := s.pass(ctx, addr); err != nil {
		return nil, err
	}
	if s.opts.Dial == nil && network == TCP {
		return s.connect(ctx, addr, s.dialDue())
	}
	return s.dialOther(ctx, network, addr.String())
}

func (s *Session) dialOther(ctx context.Context, network Network, addr string) (net.Conn, error) {
	wait := s.opts.Limits.Dial
	if s.opts.Dial != nil {
		return dialWith(ctx, s.opts.Dial, wait, string(network), addr)
	}
	return dialDatagrams(ctx, &net.Dialer{Timeout: wait}, string(network), addr)
}

// dialDue is when a call that begins now has taken long enough.
func (s *Session) dialDue() time.Time {
	due := time.Now().Add(s.opts.Limits.Dial)
	if s.life.due.Before(due) {
		return s.life.due
	}
	return due
}

// dialSystem dials by package net, without keep-alives, which are for connections that live longer than a probe.
func (s *Session) dialSystem(ctx context.Context, addr netip.AddrPort, due time.Time) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: -1, Deadline: due}
	return dialer.DialContext(ctx, string(TCP), addr.String())
}

// dialError says why a call failed. ctx ends with the session too.
func (s *Session) dialError(ctx context.Context, narrow bool, err error) *Error {
	if due, ok := ctx.Deadline(); narrow && ok && !time.Now().Before(due) {
		<-ctx.Done() // a socket's clock may be a moment ahead of the context's, whose end it is
	}
	var netErr net.Error
	var known *Error
	ended := ctx.Err() != nil // asked first
	switch {
	case s.life.Err() != nil:
		return s.contextError("dial")
	case errors.As(err, &known): // a dialer of the caller's that knows better
		return &Error{Op: "dial", Outcome: OutcomeOf(known), Err: steady(known.cause())}
	case ended:
		return &Error{Op: "dial", Outcome: OutcomeCanceled, Err: steady(err)}
	case errors.As(err, &netErr) && netErr.Timeout() && !errors.Is(err, syscall.ETIMEDOUT):
		return &Error{Op: "dial", Outcome: OutcomeTimeout, Err: &LimitError{Limit: "Dial", Value: s.opts.Limits.Dial}}
	}
	return &Error{Op: "dial", Outcome: ioOutcome(err, OutcomeUnreachable), Err: steady(err)}
}

func dialWith(ctx context.Context, dial DialFunc, timeout time.Duration, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	type dialed struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialed)
	go func() {
		var d dialed
		defer func() {
			if v := recover(); v != nil {
				d = dialed{err: Errorf("dial", OutcomeInternal, "dialer panicked: %v", v)}
			}
			select {
			case done <- d:
			case <-ctx.Done():
				if d.conn != nil {
					_ = d.conn.Close()
				}
			}
		}()
		d.conn, d.err = dial(ctx, network, addr)
		if d.conn == nil && d.err == nil {
			d.err = Errorf("dial", OutcomeInternal, "dialer returned no connection")
		}
	}()
	select {
	case d := <-done:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// contextError says why the session's context ended. Its total time counts as a limit.
func (s *Session) contextError(op string) *Error {
	switch cause := s.life.cause(); {
	case errors.Is(cause, errTotal) && op == "dial":
		// No connection means that the server kept silent, whichever clock ran out first.
		return &Error{Op: op, Outcome: OutcomeTimeout, Err: &LimitError{Limit: "Total", Value: s.opts.Limits.Total}}
	case errors.Is(cause, errTotal):
		return &Error{Op: op, Outcome: OutcomeLimit, Err: &LimitError{Limit: "Total", Value: s.opts.Limits.Total}}
	case errors.Is(s.life.Err(), context.Canceled):
		return &Error{Op: op, Outcome: OutcomeCanceled, Err: cause}
	default:
		return &Error{Op: op, Outcome: OutcomeTimeout, Err: cause}
	}
}

// end is for when the prober returned: what it left behind ends.
func (s *Session) end() {
	s.close()
	s.life.end()
	s.abort()
}

// close ends what the prober left open.
func (s *Session) close() {
	s.mu.Lock()
	left := slices.Clone(s.conns)
	s.mu.Unlock()
	for _, c := range left {
		_ = c.Close()
	}
}
