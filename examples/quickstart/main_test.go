package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	ca, err := lab.NewAuthority()
	require.NoError(t, err)
	for _, test := range []struct {
		start func(context.Context) (*lab.Server, error)
		want  string
	}{
		{lab.AnonymousFTP, `greeting: files.lab.test FTP server ready
offers TLS: no
takes passwords in cleartext: yes
lets anybody in: yes
`},
		{func(ctx context.Context) (*lab.Server, error) { return lab.ExpiredFTP(ctx, ca) }, `greeting: ProFTPD 1.3.5 Server (old.lab.test)
offers TLS: yes
takes passwords in cleartext: no
lets anybody in: no
certificate: CN=old.lab.test, until 2025-01-31
`},
	} {
		s, err := test.start(t.Context())
		require.NoError(t, err)
		var out strings.Builder
		require.NoError(t, run(t.Context(), []string{s.Addr.String()}, &out))
		require.Equal(t, test.want, out.String())
		require.NoError(t, s.Close())

		out.Reset()
		require.ErrorIs(t, run(t.Context(), []string{s.Addr.String()}, &out), probe.OutcomeRefused)
	}
}

func TestWithoutAddress(t *testing.T) {
	args, stop := orLab(nil)
	var out strings.Builder
	require.NoError(t, run(t.Context(), args, &out))
	require.Contains(t, out.String(), "greeting: files.lab.test FTP server ready\n")
	stop()

	args, stop = orLab([]string{"localhost"})
	defer stop()
	require.ErrorContains(t, run(t.Context(), args, &out), "want a host and a port")
	require.ErrorContains(t, run(t.Context(), nil, &out), "usage")
}
