package ftp_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/probe"
)

// serveInside starts a server inside TLS that lets anybody in and has list answer LIST. It says what list returns.
func serveInside(t *testing.T, list func(control io.Writer, data net.Listener, cfg *tls.Config) string) probe.Target {
	cfg := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("files.test")}}
	s, err := lab.Serve(t.Context(), lab.Neighbour{Name: "inside"}, func(raw net.Conn) {
		data, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return
		}
		defer data.Close()
		c := tls.Server(raw, cfg)
		defer c.Close()
		fmt.Fprint(c, "220 ready\r\n")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			reply := map[string]string{
				"USER anonymous": "230 in", "PWD": `257 "/"`, "PBSZ 0": "200 ok", "PROT P": "200 ok", "QUIT": "221 bye",
			}[lines.Text()]
			switch port := data.Addr().(*net.TCPAddr).Port; lines.Text() {
			case "PASV":
				reply = fmt.Sprintf("227 ok (127,0,0,1,%d,%d)", port>>8, port&0xff)
			case "LIST":
				reply = list(c, data, cfg)
			}
			if reply == "" {
				reply = "502 no"
			}
			fmt.Fprint(c, reply+"\r\n")
		}
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return probe.Target{Addr: s.Addr}
}

const row = "-rw-r--r-- 1 ftp ftp 12 Nov 22 2019 a\r\n"

// Servers do in any order what a transfer takes.
func TestProtectedTransfers(t *testing.T) {
	receive := func(data net.Listener, cfg *tls.Config, before func()) {
		raw, err := data.Accept()
		if err != nil {
			return
		}
		defer raw.Close()
		c := tls.Server(raw, cfg)
		if c.Handshake() == nil {
			before()
			_, _ = io.WriteString(c, row)
			_ = c.Close()
		}
	}
	for name, c := range map[string]struct {
		list  func(control io.Writer, data net.Listener, cfg *tls.Config) string
		files int
	}{
		"the handshake before the reply": {files: 1, list: func(control io.Writer, data net.Listener, cfg *tls.Config) string {
			receive(data, cfg, func() { _, _ = io.WriteString(control, "150 here\r\n") })
			return "226 done"
		}},
		"the reply before the handshake": {files: 1, list: func(control io.Writer, data net.Listener, cfg *tls.Config) string {
			_, _ = io.WriteString(control, "150 here\r\n")
			receive(data, cfg, func() {})
			return "226 done"
		}},
		"all before the reply": {files: 1, list: func(control io.Writer, data net.Listener, cfg *tls.Config) string {
			receive(data, cfg, func() {})
			return "226 done"
		}},
		"a refusal, and no handshake": {list: func(io.Writer, net.Listener, *tls.Config) string { return "550 no" }},
	} {
		t.Run(name, func(t *testing.T) {
			r := probe.Run(t.Context(), ftp.Prober{}, serveInside(t, c.list), &probe.Options{
				Level: probe.LevelAnonymous, ImplicitTLS: probe.Yes, Limits: probe.Limits{Total: 10 * time.Second},
			})
			require.NoError(t, r.Err)
			e, _ := probe.As[*ftp.Evidence](r)
			require.Equal(t, probe.Yes, e.ProtectsData)
			if c.files == 0 {
				require.Nil(t, e.Anonymous.Listing)
				require.Contains(t, e.Anonymous.ListingError, "550 no")
				require.Equal(t, 550, e.Anonymous.ListingReply.Code)
				require.False(t, fires(r, "ftp.anonymous-listing"))
				return
			}
			require.Empty(t, e.Anonymous.ListingError)
			require.Nil(t, e.Anonymous.ListingReply)
			require.Len(t, e.Anonymous.Listing.Entries, c.files)
		})
	}
}

// What else is accepted by TLS is asked on connections that are led to where it begins, by the AUTH that was granted.
func TestOfferTLS(t *testing.T) {
	cfg := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("files.test")}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12}
	s, err := lab.Serve(t.Context(), lab.Neighbour{Name: "old"}, func(c net.Conn) {
		fmt.Fprint(c, "220 ready\r\n")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			if lines.Text() == "AUTH SSL" {
				fmt.Fprint(c, "234 go\r\n")
				secure := tls.Server(c, cfg)
				c, lines = secure, bufio.NewScanner(secure)
				continue
			}
			fmt.Fprint(c, "502 no\r\n")
		}
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	r := probe.Run(t.Context(), ftp.Prober{}, probe.Target{Addr: s.Addr}, &probe.Options{TLS: probe.TLSModeVersions})
	require.NoError(t, r.Err)
	e, _ := probe.As[*ftp.Evidence](r)
	require.Equal(t, 234, e.AuthReply.Code)
	require.Equal(t, []string{"1.0", "1.1", "1.2"}, e.TLS.Versions)
}
