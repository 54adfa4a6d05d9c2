package probetest

import (
	"bytes"
	"net"
	"sync"
	"time"

	"github.com/handclasp/handclasp/probe"
)

const largestDatagram = 65507 // a UDP payload over IPv4

// A datagramServer answers queries with any number of datagrams.
type datagramServer struct {
	name     string
	answer   func(query []byte) [][]byte
	outcomes []probe.Outcome
}

// hostileDatagrams are the servers of [Hostile] for UDP.
func hostileDatagrams() []datagramServer {
	always := func(b []byte) func([]byte) [][]byte {
		return func([]byte) [][]byte { return [][]byte{b} }
	}
	behindID := func(rest []byte) func([]byte) [][]byte {
		return func(query []byte) [][]byte {
			return [][]byte{append(bytes.Clone(query[:min(2, len(query))]), rest...)}
		}
	}
	large := garbage(60 << 10)
	return []datagramServer{
		{"silence", func([]byte) [][]byte { return nil }, silent},
		{"nothing in a datagram", always(nil), foreign},
		{"one byte", always([]byte{0x80}), foreign},
		{"garbage", always(garbage(300)), foreign},
		{"NULs", always(make([]byte, 300)), foreign},
		{"a large datagram", always(large), foreign},
		{"echo", func(q []byte) [][]byte { return [][]byte{q} }, nil},
		{"echo as a response", func(q []byte) [][]byte {
			r := bytes.Clone(q)
			if len(r) > 2 {
				r[2] |= 0x80 // QR (RFC 1035 §4.1.1, RFC 1002 §4.2.1.1)
			}
			return [][]byte{r}
		}, nil},
		{"the right number, and nothing", behindID(nil), nil},
		{"the right number, then garbage", behindID(garbage(300)), nil},
		{"the right number, then FF", behindID(bytes.Repeat([]byte{0xff}, 300)), nil},
		{"the right number, then a response of counts", behindID([]byte("\x84\x00\xff\xff\xff\xff\xff\xff\xff\xff\xc0\x0c\xc0\x0c")), nil},
		{"the right number, then a large datagram", behindID(large), nil},
		{"flood", func([]byte) [][]byte {
			many := make([][]byte, 200)
			for i := range many {
				many[i] = large[:1000]
			}
			return many
		}, foreign},
	}
}

// datagrams adds the trials of a protocol over UDP.
func (s *suite) datagrams(m mode) {
	for _, server := range hostileDatagrams() {
		for _, l := range levels {
			s.add(&trial{
				part: "hostile " + m.String(), name: server.name + ", level " + l.String(), target: m.target(),
				options: probe.Options{Level: l, Limits: s.limits}, allowed: server.outcomes, lead: leadToDatagrams(server),
			})
		}
	}
}

func leadToDatagrams(server datagramServer) setUp {
	return func() (*led, error) {
		socket, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		var running sync.WaitGroup
		running.Go(func() {
			b := make([]byte, 2048)
			for {
				n, from, err := socket.ReadFrom(b)
				if err != nil {
					return
				}
				for _, d := range server.answer(b[:n]) {
					_ = socket.SetWriteDeadline(time.Now().Add(time.Second))
					_, _ = socket.WriteTo(d, from)
				}
			}
		})
		stop := func() {
			_ = socket.Close()
			running.Wait()
		}
		return &led{dial: leadTo(socket.LocalAddr().(*net.UDPAddr).AddrPort()), stop: stop}, nil
	}
}
