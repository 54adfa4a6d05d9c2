package probe_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// A name stands for its addresses, of which the first that answers the call is asked.
func TestGrabByName(t *testing.T) {
	leakFree(t)
	target := serve(t, func(c net.Conn) {
		_, _ = c.Write([]byte("hi\n"))
	})
	_, port, _ := strings.Cut(target.Addr.String(), ":")
	e, err := probe.Grab[*evidence](t.Context(), script{talk: listen}, "localhost:"+port, nil)
	require.ErrorIs(t, err, probe.ErrClosed)
	require.Equal(t, []string{"hi"}, e.Lines)
}

// Whatever fails, there is evidence to look at.
func TestGrabAlwaysHasEvidence(t *testing.T) {
	leakFree(t)
	refused := port(t).String()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for addr, test := range map[string]struct {
		ctx  context.Context
		want error
	}{
		refused:          {t.Context(), probe.ErrRefused},
		"no such host:1": {t.Context(), probe.ErrUnreachable},
		"localhost:1":    {ended, probe.ErrCanceled},
		"127.0.0.1":      {t.Context(), probe.ErrForbidden},
		"localhost:ftp":  {t.Context(), probe.ErrForbidden},
		"localhost:0":    {t.Context(), probe.ErrForbidden},
		":21":            {t.Context(), probe.ErrForbidden},
	} {
		e, err := probe.Grab[*evidence](test.ctx, script{talk: listen}, addr, nil)
		require.ErrorIs(t, err, test.want, addr)
		require.NotNil(t, e, addr)
	}
}
