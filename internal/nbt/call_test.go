package nbt

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// caller139 is a prober that is nothing but a call.
type caller139 struct {
	asked *[]string
	conn  *bool
}

func (caller139) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "call", Ports: []probe.Port{{Network: probe.TCP, Number: 139}}, Companions: []probe.Port{NameService},
		Guard: func(probe.Contact) probe.Guard {
			return func(probe.Level, []byte) (string, error) { return "call", nil }
		},
	}
}

func (p caller139) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	c, _, err := Call{Session: s, Asked: func(called Name, r *SessionReply) {
		text := called.Text()
		if r != nil && r.Type == TypeNegative {
			text += ": " + r.ErrorText()
		}
		*p.asked = append(*p.asked, text)
	}}.Open(ctx)
	*p.conn = c != nil
	return nil, err
}

// Only an answer that is about the name leads to the next name; the others are about the server's state, or about who calls.
func TestCall(t *testing.T) {
	const first = `# captured: handwritten
# level: handshake
# target: 192.0.2.7:139
1 open 192.0.2.7:139
1 > "\x81\x00\x00D CKFDENECFDEFFCFGEFFCCACACACACACA\x00 EIEBEOEEEDEMEBFDFACACACACACACAAA\x00"  call
1 < "ANSWER"
`
	const table = `2 open 192.0.2.7:137/udp
0 rand "\x124"
2 > "\x124\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00 CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00!\x00\x01"  call
2 < "\x124\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00 CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00!\x00\x01\x00\x00\x00\x00\x00\x13\x01FILER           \x04\x00"
3 open 192.0.2.7:139
3 > "\x81\x00\x00D EGEJEMEFFCCACACACACACACACACACACA\x00 EIEBEOEEEDEMEBFDFACACACACACACAAA\x00"  call
3 < "\x82\x00\x00\x00"
`
	const silent = "2 open 192.0.2.7:137/udp refused\n"
	for name, c := range map[string]struct {
		answer, rest string
		outcome      probe.Outcome
		asked        []string
		conn         bool
	}{
		"yes":                        {`\x82\x00\x00\x00`, "", probe.OutcomeOK, []string{"*SMBSERVER"}, true},
		"not listening on the name":  {`\x83\x00\x00\x01\x80`, table, probe.OutcomeOK, []string{"*SMBSERVER: not listening on called name", "FILER"}, true},
		"the name isn't here":        {`\x83\x00\x00\x01\x82`, table, probe.OutcomeOK, []string{"*SMBSERVER: called name not present", "FILER"}, true},
		"an error without a meaning": {`\x83\x00\x00\x01\x8f`, table, probe.OutcomeOK, []string{"*SMBSERVER: unspecified error", "FILER"}, true},
		"no name service":            {`\x83\x00\x00\x01\x82`, silent, probe.OutcomeOK, []string{"*SMBSERVER: called name not present"}, false},
		"not for this caller":        {`\x83\x00\x00\x01\x81`, "", probe.OutcomeDenied, []string{"*SMBSERVER: not listening for calling name"}, false},
		"no resources":               {`\x83\x00\x00\x01\x83`, "", probe.OutcomeBusy, []string{"*SMBSERVER: called name present, but insufficient resources"}, false},
		"retarget":                   {`\x84\x00\x00\x06\x0a\x00\x00\x05\x04\x8b`, "", probe.OutcomeOK, []string{"*SMBSERVER"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			recording, err := replay.Parse([]byte(strings.Replace(first, "ANSWER", c.answer, 1) + c.rest))
			require.NoError(t, err)
			var asked []string
			var conn bool
			target := probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:139")}
			player := recording.Player()
			r := probe.Run(t.Context(), caller139{&asked, &conn}, target, &probe.Options{Dial: player.Dial, Rand: player.Rand()})
			require.NoError(t, player.Err())
			require.Equal(t, c.outcome, r.Outcome, "%v", r.Err)
			require.Equal(t, c.asked, asked)
			require.Equal(t, c.conn, conn)
			require.False(t, errors.Is(r.Err, probe.OutcomeInternal))
		})
	}
}
