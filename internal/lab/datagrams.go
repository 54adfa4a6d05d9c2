package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// maxDatagram is more than any question has.
const maxDatagram = 1 << 10

// ServeDatagrams starts a server over UDP that answers each datagram with what answer returns: nothing for nil. It stops
// with Close, or when ctx ends.
func ServeDatagrams(ctx context.Context, n Neighbour, answer func(question []byte) []byte) (*Server, error) {
	raw, err := net.ListenPacket("udp", "127.0.0.1:0") // which nobody from elsewhere reaches
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	n.Network, n.Addr = "udp", raw.LocalAddr().(*net.UDPAddr).AddrPort()
	n.URL = scheme(n) + "://" + n.Addr.String()
	s := &Server{Neighbour: n, conns: newTracker(), served: make(chan struct{})}
	s.conns.add(struct{ io.Closer }{raw}) // not as a connection: it has no handler
	go func() {
		defer close(s.served)
		question := make([]byte, maxDatagram)
		for {
			size, from, err := raw.ReadFrom(question)
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					s.err = fmt.Errorf("%s: %w", n.Name, err)
				}
				return
			}
			if reply := answer(question[:size]); reply != nil && loopback(from) {
				_, _ = raw.WriteTo(reply, from) // who doesn't get it asks again
			}
		}
	}()
	s.detach = context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}
