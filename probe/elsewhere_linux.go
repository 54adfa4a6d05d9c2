package probe

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// An eared connection is a connected UDP socket, which gets the target's datagrams and what ICMP says of it, and beside it one
// that isn't connected at the same port, which gets what comes to that from anywhere else: Linux gives a datagram to the socket
// that fits best.
type eared struct {
	net.Conn
	ear *net.UDPConn
}

// dialDatagrams dials a UDP connection with a second ear, if the system lets it have one.
func dialDatagrams(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil || d.LocalAddr != nil {
		return d.DialContext(ctx, network, address)
	}
	family, any := "udp4", "0.0.0.0:0"
	if to.Addr().Is6() && !to.Addr().Is4In6() {
		family, any = "udp6", "[::]:0"
	}
	share := func(_, _ string, c syscall.RawConn) (err error) {
		controlErr := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
		if controlErr != nil {
			return controlErr
		}
		return err
	}
	listen := net.ListenConfig{Control: share}
	listener, err := listen.ListenPacket(ctx, family, any)
	if err != nil {
		return d.DialContext(ctx, network, address)
	}
	ear := listener.(*net.UDPConn)
	beside := *d
	beside.LocalAddr, beside.Control = &net.UDPAddr{Port: ear.LocalAddr().(*net.UDPAddr).Port}, share
	c, err := beside.DialContext(ctx, family, address)
	if err != nil {
		_ = ear.Close()
		return nil, err
	}
	return &eared{c, ear}, nil
}

// Elsewhere implements strayConn.
func (c *eared) Elsewhere() (list []Stray) {
	b := make([]byte, straySize)
	for range 4 * maxStrays { // more stay in the socket, which is closed soon
		_ = c.ear.SetReadDeadline(time.Now().Add(earTime))
		n, from, err := c.ear.ReadFromUDPAddrPort(b)
		if err != nil {
			return list
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		list = append(list, Stray{From: from, Data: append([]byte{}, b[:n]...)})
	}
	return list
}

// earTime is how long a read waits: with a deadline that is over it wouldn't look.
const earTime = time.Millisecond

func (c *eared) Close() error {
	_ = c.ear.Close()
	return c.Conn.Close()
}
