package ftp_test

import (
	"net"
	"testing"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

// What a probe costs that only reads the greeting: the connection, and everything around it.
func BenchmarkGreeting(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("220 files.example ready\r\n"))
			_ = c.(*net.TCPConn).SetLinger(0)
			go func() {
				_, _ = c.Read(make([]byte, 1))
				_ = c.Close()
			}()
		}
	}()
	target := probe.Target{Addr: l.Addr().(*net.TCPAddr).AddrPort()}
	o := &probe.Options{Level: probe.LevelGreeting}
	b.ReportAllocs()
	for b.Loop() {
		if r := probe.Run(b.Context(), ftp.Prober{}, target, o); r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}
