package smb

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// Hanging up on SMB1 says no only where nothing else explains it.
func TestHungUpOnSMB1(t *testing.T) {
	closed := probe.Errorf(opNegotiate, probe.OutcomeClosed, "closed")
	refused := probe.Errorf(opSession, probe.OutcomeRefused, "no more sessions")
	answered, silent := Negotiation{Status: "STATUS_SUCCESS"}, Negotiation{Outcome: probe.OutcomeClosed}
	for name, c := range map[string]struct {
		matrix   []Negotiation
		prefers  string
		a        answer
		expected probe.Fact
	}{
		"all others answered":     {[]Negotiation{answered, answered}, "3.1.1", answer{asked: true, err: closed}, probe.No},
		"it drops others as well": {[]Negotiation{answered, silent}, "3.1.1", answer{asked: true, err: closed}, probe.Unknown},
		"it speaks no SMB 2":      {nil, "", answer{asked: true, err: closed}, probe.Unknown},
		"no connection":           {[]Negotiation{answered}, "3.1.1", answer{err: probe.Errorf("dial", probe.OutcomeRefused, "refused")}, probe.Unknown},
		"no session":              {[]Negotiation{answered}, "3.1.1", answer{err: refused}, probe.Unknown},
		"dropped before asked":    {[]Negotiation{answered}, "3.1.1", answer{err: closed}, probe.Unknown},
		"silence":                 {[]Negotiation{answered}, "3.1.1", answer{asked: true, err: probe.Errorf("read", probe.OutcomeTimeout, "silence")}, probe.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEvidence()
			e.NegotiateStatus, e.PreferredDialect, e.Matrix = "STATUS_SUCCESS", c.prefers, c.matrix
			e.smb1(c.a)
			e.hungUpOnSMB1(c.a)
			require.Equal(t, c.expected, e.SMB1.Supported)
		})
	}
}

// A reply whose contexts can't be read doesn't say that there is no cipher.
func TestEncryptionBehindBrokenContexts(t *testing.T) {
	e := newEvidence()
	broken := answer{reply: &negotiateReply{dialect: dialect311, broken: true}, err: probe.Errorf(opNegotiate, probe.OutcomeMalformed, "broken")}
	e.preferred(broken)
	require.Equal(t, probe.Unknown, e.Encryption)
	for _, d := range dialects[:4] {
		e.alone(d, answer{reply: &negotiateReply{dialect: d}})
	}
	e.alone(dialect311, broken)
	e.conclude()
	require.Equal(t, probe.Unknown, e.Encryption)
	require.Equal(t, probe.Unknown, e.Matrix[4].Encryption)
	whole := answer{reply: &negotiateReply{dialect: dialect311}}
	e.Matrix = e.Matrix[:4]
	e.preferred(whole)
	e.alone(dialect311, whole)
	e.conclude()
	require.Equal(t, probe.No, e.Encryption)
}
