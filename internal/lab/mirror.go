package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// Mirror starts a server that greets a client by the client's address, "220 hello 127.0.0.1", as FTP greets, and
// says nothing else.
func Mirror(ctx context.Context) (*Server, error) {
	n := Neighbour{Name: "mirror", About: "greets a client by its address", Protocol: "ftp"}
	return Serve(ctx, n, func(c net.Conn) {
		_ = c.SetDeadline(time.Now().Add(idleTime))
		from, err := netip.ParseAddrPort(c.RemoteAddr().String())
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(c, "220 hello %v\r\n", from.Addr().Unmap()); err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, c)
	})
}
