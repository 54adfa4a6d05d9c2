package interop_test

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
	"github.com/handclasp/handclasp/smtp"
)

// What each server that speaks TLS accepts, from the first byte or behind its protocol's steps, is what nmap says.
func TestTLSOffersOfServers(t *testing.T) {
	need(t, "nmap")
	mail, files := []string{"EHLO localhost", "STARTTLS"}, []string{"AUTH TLS"}
	for name, c := range map[string]struct {
		prober probe.Prober
		start  func(testing.TB) netip.AddrPort
		steps  []string // nil for TLS from the first byte
	}{
		"vsftpd":            {ftp.Prober{}, func(t testing.TB) netip.AddrPort { return vsftpdImplicitTLS(t).Addr }, nil},
		"ftp-srv":           {ftp.Prober{}, func(t testing.TB) netip.AddrPort { return ftpSrvImplicitTLS(t).Addr }, nil},
		"ProFTPD":           {ftp.Prober{}, func(t testing.TB) netip.AddrPort { return proftpd(t).Addr }, files},
		"Pure-FTPd":         {ftp.Prober{}, func(t testing.TB) netip.AddrPort { return pureFTPdTLS(t).Addr }, files},
		"pyftpdlib":         {ftp.Prober{}, func(t testing.TB) netip.AddrPort { return pyftpdlibTLS(t).Addr }, files},
		"Exim":              {smtp.Prober{}, func(t testing.TB) netip.AddrPort { return exim(t, eximOptions{TLS: true}).Addr }, mail},
		"chasquid":          {smtp.Prober{}, func(t testing.TB) netip.AddrPort { return chasquid(t)[2].Addr }, nil},
		"Sendmail":          {smtp.Prober{}, func(t testing.TB) netip.AddrPort { return sendmail(t).Addr }, mail},
		"Courier":           {smtp.Prober{}, func(t testing.TB) netip.AddrPort { return courier(t).Addr }, mail},
		"OpenSMTPD":         {smtp.Prober{}, func(t testing.TB) netip.AddrPort { return opensmtpd(t).STARTTLS.Addr }, mail},
		"Dovecot":           {smtp.Prober{}, func(t testing.TB) netip.AddrPort { return dovecot(t).Implicit.Addr }, nil},
		"INN":               {nntp.Prober{}, func(t testing.TB) netip.AddrPort { return nnrpdImplicitTLS(t).Addr }, nil},
		"nntp-server":       {nntp.Prober{}, func(t testing.TB) netip.AddrPort { return nntpServerImplicitTLS(t).Addr }, nil},
		"rsync and stunnel": {rsync.Prober{}, func(t testing.TB) netip.AddrPort { return rsyncTLS(t).Addr }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			addr := c.start(t)
			o := everyOffer(t, c.prober, addr, c.steps == nil, probe.TLSModeFull)
			weak := everyOffer(t, c.prober, addr, c.steps == nil, probe.TLSModeWeak)
			require.LessOrEqual(t, weak.Connections, 15)
			if name == "Courier" { // its Diffie-Hellman over integers is for clients that name a group, which full does
				weak.Weak.DHE = o.Weak.DHE
			}
			require.Equal(t, classes(o.Weak), classes(weak.Weak))
			require.Equal(t, o.PostQuantum, weak.PostQuantum)
			require.Equal(t, o.FallbackSCSV, weak.FallbackSCSV)
			ours := map[string][]string{}
			for _, v := range o.Versions {
				ours[v.Version] = v.Suites
			}
			if c.steps != nil {
				addr = behindSteps(t, addr, c.steps)
			}
			agree(t, func(t testing.TB) { offersAsNmap(t, addr, ours) })
		})
	}
}

func classes(w *probe.TLSWeakOffers) []probe.Fact {
	return []probe.Fact{w.Anonymous.Accepted, w.Null.Accepted, w.Export.Accepted, w.RC4.Accepted, w.Block64.Accepted, w.NoForwardSecrecy.Accepted, w.DHE.Accepted}
}

// everyOffer asks in a mode, and again if the server had no time for some of it.
func everyOffer(t *testing.T, p probe.Prober, addr netip.AddrPort, implicit bool, mode probe.TLSMode) *probe.TLSOffers {
	t.Helper()
	var r *probe.Result
	for range 3 {
		r = probe.Run(t.Context(), p, probe.Target{Addr: addr, Name: "localhost"}, &probe.Options{
			ImplicitTLS: probe.FactOf(implicit), TLS: mode, Limits: patience,
		})
		if len(r.Partial) == 0 {
			break
		}
	}
	require.Empty(t, r.Partial, "%v", r.Err)
	e, ok := r.Evidence.(probe.TLSEvidence)
	require.True(t, ok)
	require.NotNil(t, e.TLSHandshake(), "%v", r.Err)
	o := e.TLSHandshake().Offers
	require.NotNil(t, o, "%v", r.Err)
	t.Logf("%s: %d connections, %v", mode, o.Connections, r.Elapsed)
	return o
}

// behindSteps listens where TLS is spoken from the first byte: it says what leads to TLS at the address, and passes on what follows.
func behindSteps(t *testing.T, addr netip.AddrPort, steps []string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("tcp", addr.String())
				if err != nil {
					return
				}
				defer server.Close()
				replies := bufio.NewReader(server)
				for _, step := range append(append([]string{}, steps...), "") {
					for line := "   -"; len(line) < 4 || line[3] == '-'; {
						if line, err = replies.ReadString('\n'); err != nil {
							return
						}
					}
					if step != "" {
						_, _ = io.WriteString(server, step+"\r\n")
					}
				}
				go func() {
					_, _ = io.Copy(server, client)
					_ = server.(*net.TCPConn).CloseWrite()
				}()
				_, _ = io.Copy(client, replies)
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}
