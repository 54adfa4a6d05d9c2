package lab_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/internal/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is a plain client that says a line and expects another.
type client struct {
	t    *testing.T
	conn net.Conn
	*textproto.Conn
}

func dial(t *testing.T, s *lab.Server) *client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.Addr.String(), time.Second)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return &client{t: t, conn: conn, Conn: textproto.NewConn(conn)}
}

func (c *client) expect(want string) {
	c.t.Helper()
	line, err := c.ReadLine()
	require.NoError(c.t, err)
	require.Equal(c.t, want, line)
}

func (c *client) say(line, want string) {
	c.t.Helper()
	require.NoError(c.t, c.PrintfLine("%s", line))
	c.expect(want)
}

// block says a line and returns the reply, of several lines with a code.
func (c *client) block(line string, code int) string {
	c.t.Helper()
	require.NoError(c.t, c.PrintfLine("%s", line))
	_, text, err := c.ReadResponse(code)
	require.NoError(c.t, err)
	return text
}

// startTLS goes on inside TLS and returns what was negotiated.
func (c *client) startTLS(cfg *tls.Config) tls.ConnectionState {
	c.t.Helper()
	conn := tls.Client(c.conn, cfg)
	require.NoError(c.t, conn.Handshake())
	c.Conn = textproto.NewConn(conn)
	return conn.ConnectionState()
}

func (c *client) closed() {
	c.t.Helper()
	_, err := c.ReadLine()
	require.Error(c.t, err)
}

// must starts a server that is gone when the test ends.
func must(t *testing.T, s *lab.Server, err error) *lab.Server {
	t.Helper()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		_, err := net.DialTimeout("tcp", s.Addr.String(), time.Second)
		require.Error(t, err, "a server that was closed still listens")
	})
	return s
}

func authority(t *testing.T) *lab.Authority {
	t.Helper()
	ca, err := lab.NewAuthority()
	require.NoError(t, err)
	return ca
}

func TestStart(t *testing.T) {
	n, err := lab.Start(t.Context())
	require.NoError(t, err)
	var names []string
	for _, s := range n.Neighbours() {
		names = append(names, s.Name)
		require.True(t, s.Addr.Addr().IsLoopback())
		require.True(t, strings.HasPrefix(s.URL, s.Protocol))
		require.True(t, strings.HasSuffix(s.URL, "://"+s.Addr.String()))
		require.Equal(t, s.ImplicitTLS, strings.HasPrefix(s.URL, s.Protocol+"s://"))
		require.NotEmpty(t, s.About)
	}
	require.Equal(t, []string{
		"anonymous-ftp", "expired-ftp", "implicit-ftps", "leaky-ftp", "cleartext-mail", "mail", "open-news", "open-rsync",
		"talkative-netbios", "old-files", "open-files", "password-ssh",
	}, names)
	require.NotNil(t, n.CA())
	require.Contains(t, string(n.CAPEM()), "BEGIN CERTIFICATE")
	require.NoError(t, n.Close())
	require.NoError(t, n.Close())
}

func TestContextStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := lab.OpenNews(ctx)
	require.NoError(t, err)
	c := dial(t, s)
	c.expect("200 news.lab.test ready, posting allowed")
	cancel()
	c.closed()
	require.NoError(t, s.Close())
}

// Connections in every state end with their server.
func TestCloseCutsOff(t *testing.T) {
	ca := authority(t)
	for name, start := range map[string]func() (*lab.Server, error){
		"ftp":  func() (*lab.Server, error) { return lab.AnonymousFTP(t.Context()) },
		"ftps": func() (*lab.Server, error) { return lab.ImplicitFTP(t.Context(), ca) },
		"mail": func() (*lab.Server, error) { return lab.Mail(t.Context(), ca) },
		"news": func() (*lab.Server, error) { return lab.OpenNews(t.Context()) },
		"socks": func() (*lab.Server, error) {
			p, err := lab.SOCKS5(t.Context())
			return p.Server, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := start()
			require.NoError(t, err)
			silent := dial(t, s)
			talking := dial(t, s)
			_, err = talking.conn.Write([]byte("\x05"))
			require.NoError(t, err)
			time.Sleep(20 * time.Millisecond)
			begin := time.Now()
			require.NoError(t, s.Close())
			require.Less(t, time.Since(begin), 10*time.Second)
			for _, c := range []*client{silent, talking} {
				var err error
				for err == nil {
					_, err = c.ReadLine()
				}
			}
		})
	}
}
