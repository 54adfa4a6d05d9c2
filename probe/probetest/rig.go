package probetest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/handclasp/handclasp/probe"
)

// A rig stands between a prober and a server: it leads every connection to the server, whatever its address, and
// sees what is dialled, written, read and closed.
type rig struct {
	target   probe.Target
	lead     probe.DialFunc
	replayed bool // by a Player

	mu     sync.Mutex
	dialed []string
	conns  []*spy
}

// writesKept bounds what a rig keeps of a connection's writes. It is above any BytesOut that Conform sets.
const writesKept = 64 << 10

func (g *rig) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	g.mu.Lock()
	g.dialed = append(g.dialed, address)
	g.mu.Unlock()
	c, err := g.lead(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s := &spy{Conn: c}
	g.mu.Lock()
	g.conns = append(g.conns, s)
	g.mu.Unlock()
	if played, ok := c.(replayed); ok {
		return &playedSpy{spy: s, played: played}, nil
	}
	return s, nil
}

// leadTo leads all connections to one address.
func leadTo(addr netip.AddrPort) probe.DialFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		d := net.Dialer{KeepAlive: -1}
		return d.DialContext(ctx, network, addr.String())
	}
}

// elsewhere returns what was dialled that isn't on the target's host.
func (g *rig) elsewhere() (list []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, address := range g.dialed {
		if ap, err := netip.ParseAddrPort(address); err != nil || ap.Addr() != g.target.Addr.Addr() {
			list = append(list, address)
		}
	}
	return list
}

func (g *rig) counts() (dialed, open int, read int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.conns {
		s.mu.Lock()
		if !s.closed {
			open++
		}
		read += s.read
		s.mu.Unlock()
	}
	return len(g.dialed), open, read
}

// ownAddresses returns our side of each connection that has one with a port.
func (g *rig) ownAddresses() (list []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.conns {
		if own, err := netip.ParseAddrPort(fmt.Sprint(s.LocalAddr())); err == nil && own.Port() != 0 && own != g.target.Addr {
			list = append(list, own.String())
		}
	}
	return list
}

// wrote returns what was written on each connection.
func (g *rig) wrote() (all [][]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.conns {
		s.mu.Lock()
		all = append(all, append([]byte(nil), s.wrote...))
		s.mu.Unlock()
	}
	return all
}

// A spy is a connection that is watched.
type spy struct {
	net.Conn
	mu     sync.Mutex
	read   int64
	wrote  []byte
	closed bool
}

func (s *spy) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.mu.Lock()
	s.read += int64(n)
	s.mu.Unlock()
	return n, err
}

func (s *spy) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	s.mu.Lock()
	s.wrote = append(s.wrote, b[:min(n, writesKept-len(s.wrote))]...)
	s.mu.Unlock()
	return n, err
}

func (s *spy) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.Conn.Close()
}

// playedSpy is a spy on a replay, which hands its handshakes on.
type playedSpy struct {
	*spy
	played replayed
}

// replayed is a connection of a replay.
type replayed interface{ ReplayTLS() (*probe.TLS, error) }

func (s *playedSpy) ReplayTLS() (*probe.TLS, error) { return s.played.ReplayTLS() }
