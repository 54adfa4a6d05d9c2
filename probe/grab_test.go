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
	require.ErrorIs(t, err, probe.OutcomeClosed)
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
		refused:          {t.Context(), probe.OutcomeRefused},
		"no such host:1": {t.Context(), probe.OutcomeUnreachable},
		"localhost:1":    {ended, probe.OutcomeCanceled},
		"127.0.0.1":      {t.Context(), probe.OutcomeForbidden},
		"localhost:ftp":  {t.Context(), probe.OutcomeForbidden},
		"localhost:0":    {t.Context(), probe.OutcomeForbidden},
		":21":            {t.Context(), probe.OutcomeForbidden},
	} {
		e, err := probe.Grab[*evidence](test.ctx, script{talk: listen}, addr, nil)
		require.ErrorIs(t, err, test.want, addr)
		require.NotNil(t, e, addr)
	}
}
