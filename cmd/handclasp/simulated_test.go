package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/handclasp/handclasp"
)

// simulated is the command in a network where one host in sixteen has a news server, and the others refuse. $DOWN takes the
// line away, $NAMELESS the name server, $FLAP lets a server answer to its first connection alone, or to all but that. Its clock doesn't wait.
func simulated() {
	var called sync.Map
	flap := func(address string) bool {
		if os.Getenv("FLAP") == "" {
			return false // nothing is kept: memory is measured
		}
		_, before := called.LoadOrStore(address, true)
		return os.Getenv("FLAP") == "first" && before || os.Getenv("FLAP") == "second" && !before
	}
	a := &app{
		probers: handclasp.Probers(), rules: handclasp.Rules(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, resolver: everyName{},
		dial: func(_ context.Context, _, address string) (net.Conn, error) {
			if netip.MustParseAddrPort(address).Addr().As4()[3]%16 != 0 || os.Getenv("DOWN") != "" || flap(address) {
				return nil, syscall.ECONNREFUSED
			}
			near, far := net.Pipe()
			go func() {
				_, _ = io.WriteString(far, "200 ready\r\n")
				_ = far.Close()
			}()
			return &pipe{near}, nil
		},
		after: func(d time.Duration) <-chan time.Time {
			fmt.Fprintln(os.Stderr, "waits", d)
			now := make(chan time.Time, 1)
			now <- time.Time{}
			return now
		},
	}
	os.Exit(a.main(os.Args[1:]))
}

// A pipe lets go of its timers when it is closed, as sockets do: package net's keeps them, and itself, until they are due.
type pipe struct{ net.Conn }

func (p *pipe) Close() error {
	_ = p.SetDeadline(time.Time{})
	return p.Conn.Close()
}

// everyName resolves names without a name server.
type everyName struct{}

func (everyName) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	if os.Getenv("NAMELESS") != "" {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr("192.0.2.32")}, nil
}
