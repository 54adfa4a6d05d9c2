package ssh_test

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/ssh"
)

// canned is a connection to a server that says the same whatever it hears.
type canned struct{ *bytes.Reader }

func (canned) Write(p []byte) (int, error)      { return len(p), nil }
func (canned) Close() error                     { return nil }
func (canned) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1024} }
func (canned) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 22} }
func (canned) SetDeadline(time.Time) error      { return nil }
func (canned) SetReadDeadline(time.Time) error  { return nil }
func (canned) SetWriteDeadline(time.Time) error { return nil }

// Whatever a server says, the prober and the library's goroutines end, without a panic, and the evidence can be stored.
func FuzzProbe(f *testing.F) {
	probetest.Seeds(f, transcripts+"*.txt")
	empty := append([]byte("SSH-2.0-x\r\n\x00\x00\x00\x44\x05\x14"), make([]byte, 66)...) // a KEXINIT with empty lists
	f.Add(empty)
	f.Add([]byte("hello\nSSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x02"))
	f.Fuzz(func(t *testing.T, said []byte) {
		r := probe.Run(t.Context(), ssh.Prober{}, probe.Target{Addr: loopback}, &probe.Options{
			Level: probe.LevelAnonymous,
			Dial:  func(context.Context, string, string) (net.Conn, error) { return canned{bytes.NewReader(said)}, nil },
		})
		stored(t, r)
		require.NotEqual(t, probe.OutcomeForbidden, r.Outcome, "%v", r.Err)
		for _, label := range labels(r) {
			require.NotContains(t, []string{"NEWKEYS", "ciphertext"}, label, "nobody can sign what differs each time")
		}
	})
}
