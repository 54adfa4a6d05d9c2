package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	s, err := lab.LeakyFTP(t.Context())
	require.NoError(t, err)
	defer s.Close()
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{s.Addr.String()}, &out))
	require.Equal(t, `SERVER: ok, login "yes", files ["README" "backup-2019.tar.gz" "pub"], refusal ""
1 > USER anonymous
1 > PASS guest@example.invalid
1 > FEAT
1 > TYPE I
1 > OPTS UTF8 ON
1 > EPSV
1 > LIST
1 > QUIT
`, strings.ReplaceAll(out.String(), s.Addr.String(), "SERVER"))
	require.Error(t, run(t.Context(), nil, &out))
	require.Error(t, run(t.Context(), []string{"localhost"}, &out))
}

// hostile starts a server that lets anybody in, and answers PASV and LIST so.
func hostile(t *testing.T, pasv, list string) *lab.Server {
	s, err := lab.Serve(t.Context(), lab.Neighbour{Name: "hostile"}, func(c net.Conn) {
		fmt.Fprint(c, "220 hello\r\n")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			verb, _, _ := strings.Cut(lines.Text(), " ")
			fmt.Fprint(c, map[string]string{"USER": "230 in\r\n", "FEAT": "502 no\r\n", "EPSV": "502 no\r\n", "TYPE": "200 ok\r\n", "PASV": pasv, "LIST": list, "QUIT": "221 bye\r\n"}[verb])
		}
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// A server does no more harm by way of the library than to a prober of handclasp's own.
func TestHostile(t *testing.T) {
	for name, c := range map[string]struct {
		pasv, list string
		outcome    probe.Outcome
	}{
		"it panics":                  {pasv: "227 )192,0,2,99,195,80(\r\n", outcome: probe.OutcomeMalformed},
		"another host, nobody there": {pasv: "227 (192,0,2,99,255,255)\r\n", outcome: probe.OutcomeRefused},
		"a service's port":           {pasv: "227 (127,0,0,1,0,25)\r\n", outcome: probe.OutcomeForbidden},
		"endless":                    {pasv: "227-" + strings.Repeat("x\r\n", 1<<17), outcome: probe.OutcomeLimit},
		"silence":                    {pasv: "", outcome: probe.OutcomeTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			s := hostile(t, c.pasv, c.list)
			r := probe.Run(t.Context(), Prober{}, probe.Target{Addr: s.Addr}, &probe.Options{
				Level: probe.LevelAnonymous, Limits: probe.Limits{Idle: 300 * time.Millisecond},
			})
			require.Equal(t, c.outcome, r.Outcome, "%v", r.Err)
			e, _ := probe.As[*Evidence](r)
			require.Equal(t, probe.Yes, e.Login, "what was learned before is kept")
			for _, event := range r.Transcript {
				if event.Dir == probe.DirOpen {
					require.True(t, strings.HasPrefix(string(event.Data), "127.0.0.1:"), "%s", event.Data)
				}
			}
		})
	}
}

// What the guard doesn't know isn't sent, whatever method of the library says it.
func TestGuard(t *testing.T) {
	s := hostile(t, "", "")
	r := probe.Run(t.Context(), misuse{}, probe.Target{Addr: s.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.Equal(t, probe.OutcomeForbidden, r.Outcome, "%v", r.Err)
	for _, e := range r.Transcript {
		require.NotContains(t, string(e.Data), "DELE")
	}
	for _, plain := range []string{"", "QUIT", "QUIT\n", "quit\r\n", "USER root\r\n", "PASS x\r\n", "LIST /\r\n", "FEAT\r\nDELE x\r\n", "STOR x\r\n"} {
		_, err := guard(probe.LevelAnonymous, []byte(plain))
		require.Error(t, err, "%q", plain)
	}
	for _, line := range allowed {
		label, err := guard(probe.LevelAnonymous, []byte(line+"\r\n"))
		require.NoError(t, err)
		require.Equal(t, line, label)
		_, err = guard(probe.LevelHandshake, []byte(line+"\r\n"))
		require.Error(t, err)
	}
}

// misuse is a prober that has the library delete a file.
type misuse struct{ Prober }

func (misuse) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	c, err := s.Open(ctx)
	if err != nil {
		return new(Evidence), err
	}
	defer c.Close()
	client, err := ftp.Dial(s.Target().Addr.String(), ftp.DialWithDialFunc(s.LibraryDial(ctx, c, "", false)))
	if err == nil {
		err = client.Delete("README")
	}
	return new(Evidence), err
}

// The suite that every prober must pass plays hostile servers to it.
func TestConform(t *testing.T) { probetest.Conform(t, Prober{}) }
