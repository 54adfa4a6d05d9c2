package lab_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/proxy"

	"github.com/handclasp/handclasp/internal/lab"
)

func TestSOCKS5(t *testing.T) {
	p, err := lab.SOCKS5(t.Context())
	require.NoError(t, err)
	must(t, p.Server, nil)
	news, err := lab.OpenNews(t.Context())
	must(t, news, err)

	d, err := proxy.SOCKS5("tcp", p.Addr.String(), nil, proxy.Direct)
	require.NoError(t, err)
	conn, err := d.Dial("tcp", news.Addr.String())
	require.NoError(t, err)
	defer conn.Close()
	b := make([]byte, 4)
	_, err = conn.Read(b)
	require.NoError(t, err)
	require.Equal(t, "200 ", string(b))

	_, err = d.Dial("tcp", "192.0.2.7:21")
	require.ErrorContains(t, err, "not allowed")
	_, err = d.Dial("tcp", "news.lab.test:119")
	require.ErrorContains(t, err, "address type")
	_, err = d.Dial("tcp", "127.0.0.1:1")
	require.ErrorContains(t, err, "refused")
	require.Equal(t, []netip.AddrPort{
		news.Addr, netip.MustParseAddrPort("192.0.2.7:21"), netip.MustParseAddrPort("127.0.0.1:1"),
	}, p.Seen())
}

func TestSOCKS5Hostile(t *testing.T) {
	for name, sent := range map[string]string{
		"version":  "\x04\x01\x00",
		"password": "\x05\x01\x02",
		"short":    "\x05\x05\x00",
		"bind":     "\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50",
	} {
		t.Run(name, func(t *testing.T) {
			p, err := lab.SOCKS5(t.Context())
			require.NoError(t, err)
			c := dial(t, must(t, p.Server, nil))
			_, err = c.conn.Write([]byte(sent))
			require.NoError(t, err)
			if name == "short" {
				require.NoError(t, c.conn.Close())
			}
			for err == nil {
				_, err = c.R.ReadByte()
			}
		})
	}
}
