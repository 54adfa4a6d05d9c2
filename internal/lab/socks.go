package lab

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Proxy is a running SOCKS server.
type Proxy struct {
	*Server
	mu   sync.Mutex
	seen []netip.AddrPort
}

// SOCKS5 starts a SOCKS5 proxy (RFC 1928) that asks for no password and reaches IPv4 loopback addresses only.
func SOCKS5(ctx context.Context) (*Proxy, error) {
	p := new(Proxy)
	s, err := Serve(ctx, Neighbour{Name: "socks", About: "a SOCKS5 proxy to loopback"}, p.serve)
	if err != nil {
		return nil, err
	}
	p.Server = s
	return p, nil
}

// Seen returns the addresses that clients asked for, the refused ones included.
func (p *Proxy) Seen() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]netip.AddrPort{}, p.seen...)
}

// The parts of RFC 1928 §3 to §6 that are used here.
const (
	socksVersion  = 5
	socksNoAuth   = 0
	socksConnect  = 1
	socksIPv4     = 1
	socksOK       = 0
	socksDenied   = 2 // not allowed by ruleset
	socksRefused  = 5
	socksBadKind  = 8 // address type not supported
	socksNoMethod = 0xff
)

func (p *Proxy) serve(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(idleTime))
	if !greetSOCKS(c) {
		return
	}
	addr, code := readSOCKS(c)
	if addr.IsValid() {
		p.mu.Lock()
		p.seen = append(p.seen, addr)
		p.mu.Unlock()
	}
	var far net.Conn
	if code == socksOK {
		var err error
		if far, err = net.DialTimeout("tcp", addr.String(), time.Second); err != nil {
			code = socksRefused
		} else {
			defer far.Close()
		}
	}
	if _, err := c.Write([]byte{socksVersion, code, 0, socksIPv4, 0, 0, 0, 0, 0, 0}); err != nil || code != socksOK {
		return
	}
	relay(c, far)
}

func greetSOCKS(c net.Conn) bool {
	var head [2]byte // version, number of methods
	if _, err := io.ReadFull(c, head[:]); err != nil || head[0] != socksVersion {
		return false
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(c, methods); err != nil {
		return false
	}
	for _, m := range methods {
		if m == socksNoAuth {
			_, err := c.Write([]byte{socksVersion, socksNoAuth})
			return err == nil
		}
	}
	_, _ = c.Write([]byte{socksVersion, socksNoMethod})
	return false
}

// readSOCKS reads a request and judges it.
func readSOCKS(c net.Conn) (addr netip.AddrPort, code byte) {
	var b [10]byte // version, command, reserved, kind, address, port
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return addr, socksDenied
	}
	if b[3] != socksIPv4 {
		return addr, socksBadKind
	}
	addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), uint16(b[8])<<8|uint16(b[9]))
	if b[0] != socksVersion || b[1] != socksConnect || !addr.Addr().IsLoopback() {
		return addr, socksDenied
	}
	return addr, socksOK
}

// relay copies both ways until one side ends.
func relay(a, b net.Conn) {
	_ = a.SetDeadline(time.Time{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(b, a)
		_ = b.Close()
	}()
	_, _ = io.Copy(a, b)
	_ = a.Close()
	<-done
}
