package demo

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// A door is a listener that stands for a port of the recording.
type door interface {
	// connect makes a connection and returns both of its ends.
	connect(ctx context.Context) (near, far net.Conn, err error)
	addr() netip.AddrPort
	Close() error
}

// doorOf names the port that an open event went to; the network is the target's, unless the event says another.
func doorOf(open probe.Event, network probe.Network) string {
	address, other, _ := strings.Cut(string(open.Data), "/")
	addr, _ := netip.ParseAddrPort(address) // which Parse has checked
	return doorName(addr.Port(), cmp.Or(probe.Network(other), network))
}

func doorName(port uint16, network probe.Network) string { return fmt.Sprintf("%d/%s", port, network) }

// listen opens the server's doors: to its own port, and to those that were connected to beside it.
func (s *Server) listen() (err error) {
	network := s.Target.Network
	own := doorName(s.Target.Addr.Port(), network)
	names := []string{own}
	for _, e := range s.recording.Transcript {
		if e.Dir == probe.DirOpen {
			names = append(names, doorOf(e, network))
		}
	}
	for _, name := range names {
		if s.doors[name] != nil {
			continue
		}
		if s.doors[name], err = newDoor(strings.HasSuffix(name, "/udp")); err != nil {
			delete(s.doors, name)
			return err
		}
	}
	s.Target.Addr = s.doors[own].addr()
	return nil
}

func newDoor(datagrams bool) (door, error) {
	const anyPort = "127.0.0.1:0" // which nobody from elsewhere reaches
	if datagrams {
		c, err := net.ListenPacket("udp", anyPort)
		return packets{c}, err
	}
	l, err := net.Listen("tcp", anyPort)
	return streams{l}, err
}

type streams struct{ net.Listener }

func (d streams) addr() netip.AddrPort { return d.Addr().(*net.TCPAddr).AddrPort() }

func (d streams) connect(ctx context.Context) (near, far net.Conn, err error) {
	if near, err = new(net.Dialer).DialContext(ctx, "tcp", d.addr().String()); err != nil {
		return nil, nil, err
	}
	for {
		if far, err = d.Accept(); err != nil {
			_ = near.Close()
			return nil, nil, err
		}
		if far.RemoteAddr().String() == near.LocalAddr().String() {
			return near, far, nil
		}
		_ = far.Close() // somebody else's
	}
}

type packets struct{ net.PacketConn }

func (d packets) addr() netip.AddrPort { return d.LocalAddr().(*net.UDPAddr).AddrPort() }

func (d packets) connect(ctx context.Context) (near, far net.Conn, err error) {
	if near, err = new(net.Dialer).DialContext(ctx, "udp", d.addr().String()); err != nil {
		return nil, nil, err
	}
	return near, peer{d.PacketConn, near.LocalAddr()}, nil
}

// peer is the far end of a connection over UDP.
type peer struct {
	net.PacketConn
	remote net.Addr
}

func (p peer) Close() error                { return nil } // the door stays open
func (p peer) RemoteAddr() net.Addr        { return p.remote }
func (p peer) Write(b []byte) (int, error) { return p.WriteTo(b, p.remote) }

// Read reads one datagram of the client.
func (p peer) Read(b []byte) (int, error) {
	for {
		n, from, err := p.ReadFrom(b)
		if err != nil || from.String() == p.remote.String() {
			return n, err
		}
	}
}
