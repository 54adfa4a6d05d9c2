package tlshello

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A peer is a server in this process. Its connections are pipes.
type peer func(net.Conn)

// goPeer is crypto/tls with this configuration.
func goPeer(c *tls.Config) peer {
	return func(conn net.Conn) {
		_ = tls.Server(conn, c).Handshake()
	}
}

// ask puts the questions to the peer, as a prober would.
func (p peer) ask(t *testing.T) Ask {
	return func(questions []*Question) (answers []*Answer, err error) {
		require.LessOrEqual(t, len(questions), 9)
		for _, q := range questions {
			_, err := Check(q.Send)
			require.NoError(t, err)
			answers = append(answers, p.answer(t, q))
		}
		return answers, nil
	}
}

func (p peer) answer(t *testing.T, q *Question) *Answer {
	client, server := net.Pipe()
	defer client.Close()
	require.NoError(t, client.SetDeadline(time.Now().Add(10*time.Second)))
	go func() {
		defer server.Close()
		p(server)
	}()
	if _, err := client.Write(q.Send); err != nil {
		return &Answer{HungUp: true}
	}
	a, err := q.Read(client)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Answer{HungUp: true}
	case err != nil:
		require.ErrorIs(t, err, ErrMalformed)
		return nil
	}
	return a
}

func seeded() io.Reader { return rand.NewChaCha8([32]byte{1}) }

// enumerate asks the peer and returns the offers, whose connections are within the mode's bound.
func (p peer) enumerate(t *testing.T, mode Mode) *Offers {
	o, err := Enumerate(Config{Mode: mode, ServerName: "mail.test", Rand: seeded()}, p.ask(t))
	require.NoError(t, err)
	switch mode {
	case ModeVersions:
		require.LessOrEqual(t, o.Connections, 7)
	case ModeWeak:
		require.LessOrEqual(t, o.Connections, 15)
	default:
		found := 0
		for _, v := range o.Versions {
			found += len(v.Groups)
			if v.Version != "SSLv2" {
				found += len(v.Suites)
			}
		}
		require.LessOrEqual(t, o.Connections, found+6+8)
	}
	return o
}
