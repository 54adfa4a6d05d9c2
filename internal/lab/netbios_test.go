package lab_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/lab"
)

const (
	anyName  = "\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00"
	plain    = "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	nbstat   = "\x00\x21\x00\x01"
	nb       = "\x00\x20\x00\x01"
	response = "\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00"
)

func TestTalkativeNetBIOS(t *testing.T) {
	s, err := lab.TalkativeNetBIOS(t.Context())
	require.NoError(t, err)
	require.Equal(t, "netbios-ns://"+s.Addr.String(), s.URL)
	c, err := net.Dial("udp", s.Addr.String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	ask := func(question string) string {
		_, err := c.Write([]byte(question))
		require.NoError(t, err)
		b := make([]byte, 1024)
		n, err := c.Read(b)
		require.NoError(t, err)
		return string(b[:n])
	}
	names := ask("ab" + plain + anyName + nbstat)
	head := "ab" + response + anyName + nbstat + "\x00\x00\x00\x00"
	require.Equal(t, head, names[:len(head)])
	require.Contains(t, names, "FRONTDESK      \x20\x04\x00")
	require.Contains(t, names, "LAB            \x00\x84\x00")
	require.Equal(t, "\x00\x00\x5e\x00\x53\x07"+strings.Repeat("\x00", 40), names[len(names)-46:])
	require.Len(t, names, 12+34+10+1+6*18+46)

	own := "\x20EGFCEPEOFEEEEFFDELCACACACACACACA\x00"
	require.Equal(t, "cd"+response+own+nb+"\x00\x00\x00\x00\x00\x06\x00\x00\x7f\x00\x00\x01", ask("cd"+plain+own+nb))

	// Other names, operations, types and sizes get nothing.
	for _, silent := range []string{
		"ef" + plain + "\x20" + strings.Repeat("A", 32) + "\x00" + nbstat, "ef\x01\x10" + plain[2:] + anyName + nbstat,
		"ef" + plain + anyName + "\x00\x01\x00\x01", "ef" + plain + anyName, "", strings.Repeat("x", 2000),
	} {
		_, err := c.Write([]byte(silent))
		require.NoError(t, err)
	}
	require.Equal(t, "gh", ask("gh" + plain + anyName + nbstat)[:2])
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
}

func TestDatagramsEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := lab.TalkativeNetBIOS(ctx)
	require.NoError(t, err)
	cancel()
	require.Eventually(t, func() bool {
		free, err := net.ListenPacket("udp", s.Addr.String())
		if err == nil {
			free.Close()
		}
		return err == nil
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, s.Close())
}
