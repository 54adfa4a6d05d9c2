package probe_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// accompanied is a script whose protocol names a companion port.
type accompanied struct{ script }

func (a accompanied) Spec() probe.Spec {
	s := a.script.Spec()
	s.Companions = []probe.Port{{Network: probe.UDP, Number: 137}}
	return s
}

// A companion is another port of the same host, which the Spec names; it is guarded, and replays beside the rest.
func TestOpenCompanion(t *testing.T) {
	leakFree(t)
	names := answer(t, func(int, string) []string { return []string{"stray", "SERVER"} })
	session := serve(t, say("one\r\ntwo\r\n"))
	talk := func(ctx context.Context, s *probe.Session, e *evidence) error {
		first, err := s.Open(ctx)
		if err != nil {
			return err
		}
		line, err := first.ReadLine()
		if err != nil {
			return err
		}
		aside, err := s.OpenCompanion(ctx, probe.Port{Network: probe.UDP, Number: 137})
		if err != nil {
			return err
		}
		require.ErrorIs(t, aside.Send([]byte("DELE x\r\n")), probe.OutcomeForbidden)
		reply, _, err := aside.Exchange([]byte("HELLO\r\n"), func(b []byte) bool { return string(b) == "SERVER" })
		if err != nil {
			return err
		}
		e.Lines = append(e.Lines, string(line), string(reply))
		for _, other := range []probe.Port{{Network: probe.TCP, Number: 137}, {Network: probe.UDP, Number: 138}} {
			_, err = s.OpenCompanion(ctx, other)
			require.ErrorIs(t, err, probe.OutcomeForbidden)
		}
		line, err = first.ReadLine()
		e.Lines = append(e.Lines, string(line))
		return err
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == "udp" {
			require.Equal(t, session.Addr.Addr().String()+":137", address)
			address = names.Addr.String()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	r := probe.Run(t.Context(), accompanied{script{talk: talk}}, session, &probe.Options{Dial: dial})
	require.NoError(t, r.Err)
	require.Equal(t, []string{"one", "SERVER", "two"}, r.Evidence.(*evidence).Lines)

	recording, err := replay.Parse(replay.Record(r, "", "").Format())
	require.NoError(t, err)
	again := probe.Run(t.Context(), accompanied{script{talk: talk}}, session, recording.Options())
	require.NoError(t, again.Err)
	require.Equal(t, r.Evidence, again.Evidence)
}
