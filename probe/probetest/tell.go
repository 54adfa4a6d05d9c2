package probetest

import (
	"context"
	"net"

	"github.com/handclasp/handclasp/probe"
)

// tellUntil plays the server's part of some events, whatever the client says, and then does something else.
func tellUntil(events probe.Transcript, then act) act {
	return func(ctx context.Context, c net.Conn) {
		var b [4096]byte
		for _, e := range events {
			var err error
			switch e.Dir {
			case probe.DirRecv:
				_, err = c.Write(e.Data)
			case probe.DirSend:
				_, err = c.Read(b[:]) // on loopback a message comes whole
			}
			if err != nil {
				return
			}
		}
		then(ctx, c)
	}
}
