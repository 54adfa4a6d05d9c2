package main

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/handclasp/handclasp"
)

// simulated is the command in a network where one host in sixteen has a news server, and the others refuse.
func simulated() {
	a := &app{
		probers: handclasp.Probers(), rules: handclasp.Rules(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		dial: func(_ context.Context, _, address string) (net.Conn, error) {
			if netip.MustParseAddrPort(address).Addr().As4()[3]%16 != 0 {
				return nil, syscall.ECONNREFUSED
			}
			near, far := net.Pipe()
			go func() {
				_, _ = io.WriteString(far, "200 ready\r\n")
				_ = far.Close()
			}()
			return near, nil
		},
	}
	os.Exit(a.main(os.Args[1:]))
}
