package smtp_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/smtp"
)

// sound holds for every result.
func sound(t *testing.T, r *probe.Result) *smtp.Evidence {
	t.Helper()
	e, ok := probe.As[*smtp.Evidence](r)
	require.True(t, ok)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	stored, err := probe.Decode(text, smtp.Prober{})
	require.NoError(t, err)
	require.Equal(t, r.Evidence, stored.Evidence, "evidence survives being stored")
	return e
}

var handwritten = map[string]func(t *testing.T, r *probe.Result, e *smtp.Evidence){
	"starttls": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, &probe.Reply{Code: 220, Lines: []string{"mx.example.com ESMTP ready"}}, e.Greeting)
		require.Equal(t, "mx.example.com", e.Hostname)
		require.Equal(t, probe.No, e.ImplicitTLS)
		require.Equal(t, []string{"PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "STARTTLS", "ENHANCEDSTATUSCODES", "8BITMIME",
			"DSN", "SMTPUTF8", "CHUNKING"}, e.Extensions)
		require.Empty(t, e.AuthMechanisms)
		require.EqualValues(t, 10240000, *e.SizeLimit)
		require.Equal(t, probe.Yes, e.STARTTLS)
		require.Equal(t, probe.No, e.STARTTLSStripped)
		require.Equal(t, "1.3", e.TLS.Version)
		require.Equal(t, "starttls", e.TLS.Mode)
		require.Equal(t, []string{"PIPELINING", "SIZE 10240000", "VRFY", "AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN", "8BITMIME"}, e.ExtensionsAfterTLS)
		require.Equal(t, []string{"PLAIN", "LOGIN"}, e.AuthMechanismsAfterTLS)
		require.Equal(t, probe.Yes, e.VRFY)
		require.Equal(t, probe.No, e.EXPN)
		require.Equal(t, probe.Unknown, e.VerifiesNames)
		require.Equal(t, probe.Unknown, e.STARTTLSInjected)
		require.Nil(t, e.NTLM)
	},
	"implicit-tls": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.Yes, e.ImplicitTLS)
		require.Equal(t, "implicit", e.TLS.Mode)
		require.Equal(t, []string{"PLAIN"}, e.AuthMechanisms)
		require.EqualValues(t, 0, *e.SizeLimit)
		require.Equal(t, probe.No, e.STARTTLS, "EHLO doesn't list it")
		require.Equal(t, probe.Unknown, e.STARTTLSStripped)
		require.Nil(t, e.EHLOAfterTLS)
	},
	"implicit-plain": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeBusy, r.Outcome)
		require.Equal(t, &probe.Reply{Code: 421, Lines: []string{"mx.example.com", "4.3.0 try later"}}, e.Greeting)
		require.Equal(t, "mx.example.com", e.Hostname)
		require.Equal(t, probe.No, e.ImplicitTLS)
	},
	"postscreen-teaser": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, []string{"mx.example.com ESMTP", "mx.example.com ESMTP Postfix"}, e.Greeting.Lines)
		require.Equal(t, probe.No, e.STARTTLS)
		require.Equal(t, []string{}, e.Extensions)
	},
	"postscreen-refusal": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeDenied, r.Outcome)
		require.Equal(t, &probe.Reply{Code: 521, Lines: []string{"mx.example.com ESMTP",
			"5.7.1 Service unavailable; client [192.0.2.99] blocked"}}, e.Greeting)
		require.Equal(t, probe.No, e.ImplicitTLS)
		require.Nil(t, e.EHLO)
	},
	"greeting-421": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeBusy, r.Outcome)
		require.True(t, e.Greeting.Is(421))
		require.Empty(t, e.Hostname, "an enhanced status code is no name")
		require.Equal(t, probe.Unknown, e.STARTTLS)
	},
	"greeting-554": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeDenied, r.Outcome)
		require.True(t, e.Greeting.Is(554))
		require.Equal(t, "mx.example.com", e.Hostname)
	},
	"plain-banner": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Empty(t, e.Hostname)
		require.Equal(t, []string{"LOGIN", "PLAIN"}, e.AuthMechanisms)
		require.Nil(t, e.SizeLimit, "no number")
	},
	"lf-only": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, "mail", e.Hostname)
		require.Equal(t, []string{"HELP"}, e.Extensions)
	},
	"helo": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, "old", e.Hostname)
		require.True(t, e.EHLO.Is(500))
		require.True(t, e.HELO.Is(250))
		require.Equal(t, probe.No, e.STARTTLS)
		require.Equal(t, probe.Unknown, e.VRFY)
	},
	"refused": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.True(t, e.HELO.Is(550))
		require.Equal(t, probe.Unknown, e.STARTTLS)
	},
	"not-now": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeBusy, r.Outcome)
		require.Equal(t, []string{"/evidence/ehlo"}, r.Partial)
		require.True(t, e.EHLO.Is(421))
		require.Nil(t, e.HELO)
		require.Equal(t, probe.Unknown, e.STARTTLS)
	},
	"ftp": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeNotProtocol, r.Outcome)
		require.Equal(t, probe.Unknown, e.STARTTLS)
	},
	"nntp": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeNotProtocol, r.Outcome)
		require.True(t, e.Greeting.Is(200))
		require.Equal(t, probe.No, e.ImplicitTLS)
	},
	"masked": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.Yes, e.STARTTLSStripped)
		require.Equal(t, probe.No, e.STARTTLS)
		require.Equal(t, probe.Unknown, e.VRFY, "it may be one of those that were overwritten")
		require.Equal(t, "mx.example.com", e.Hostname, "as EHLO has it")
	},
	"auth-equals": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, []string{"LOGIN", "CRAM-MD5"}, e.AuthMechanisms)
		require.Equal(t, probe.Yes, e.EXPN)
		require.Equal(t, probe.No, e.VRFY)
		require.Nil(t, e.SizeLimit)
	},
	"starttls-refused": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.Yes, e.STARTTLS)
		require.True(t, e.STARTTLSReply.Is(454))
		require.Equal(t, probe.Unknown, e.VRFY, "what is offered inside TLS wasn't heard")
		require.Equal(t, probe.Unknown, e.EXPN)
		require.Nil(t, e.TLS)
	},
	"starttls-demanded": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.Yes, e.STARTTLS)
		require.Equal(t, probe.Unknown, e.STARTTLSStripped)
		require.Equal(t, []string{"SIZE 1000"}, e.ExtensionsAfterTLS)
		require.EqualValues(t, 1000, *e.SizeLimit)
		require.Equal(t, probe.No, e.VRFY)
	},
	"leftover-plaintext": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeTLS, r.Outcome)
		require.True(t, e.STARTTLSReply.Is(220))
		require.Equal(t, "250 2.1.0 Ok\r\n", string(e.TLS.LeftoverPlaintext))
		require.Nil(t, e.EHLOAfterTLS, "nothing more is said")
	},
	"ntlm": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		at := time.Date(2020, 12, 31, 2, 26, 40, 0, time.UTC).Truncate(24 * time.Hour)
		require.Equal(t, []string{"NTLM", "LOGIN"}, e.AuthMechanismsAfterTLS)
		require.WithinDuration(t, at, *e.NTLM.SystemTime, 48*time.Hour)
		e.NTLM.SystemTime = nil
		require.Equal(t, &probe.NTLM{
			TargetName: "CORP", NetBIOSComputer: "MX01", NetBIOSDomain: "CORP", DNSComputer: "mx01.corp.example.com",
			DNSDomain: "corp.example.com", DNSTree: "example.com", OSVersion: "Windows 10.0 build 17763",
		}, e.NTLM)
		require.True(t, e.NTLMReply.Is(334))
	},
	"ntlm-in-two-steps": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Equal(t, "mx01.corp.example.com", e.NTLM.DNSComputer)
	},
	"ntlm-refused": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Nil(t, e.NTLM)
		require.True(t, e.NTLMReply.Is(530))
	},
	"ntlm-nonsense": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.Nil(t, e.NTLM)
		require.Equal(t, "VXNlcm5hbWU6", e.NTLMReply.Text())
	},
	"mixed-codes": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeMalformed, r.Outcome)
		require.Equal(t, []string{"mx.example.com", "550 no"}, e.EHLO.Lines)
	},
	"nonsense": func(t *testing.T, r *probe.Result, e *smtp.Evidence) {
		require.Equal(t, probe.OutcomeMalformed, r.Outcome, "it greeted as a mail server")
		require.Equal(t, probe.No, e.ImplicitTLS)
		require.Equal(t, &probe.Reply{Lines: []string{"what's this?"}}, e.EHLO)
		require.Equal(t, probe.Unknown, e.STARTTLS)
	},
	"not-text": func(t *testing.T, _ *probe.Result, e *smtp.Evidence) {
		require.True(t, e.EHLO.Lossy)
	},
}

func TestHandwrittenTranscripts(t *testing.T) {
	failing := map[string]bool{"greeting-421": true, "greeting-554": true, "not-now": true, "postscreen-refusal": true, "ftp": true, "nntp": true, "leftover-plaintext": true, "mixed-codes": true, "implicit-plain": true, "nonsense": true}
	left := len(handwritten)
	probetest.ReplayAll(t, smtp.Prober{}, "testdata/transcripts/handwritten-*.txt", func(t *testing.T, name string, r *probe.Result) {
		name = name[len("handwritten-") : len(name)-len(".txt")]
		e := sound(t, r)
		if !failing[name] {
			require.NoError(t, r.Err)
		}
		require.Contains(t, handwritten, name)
		handwritten[name](t, r, e)
		left--
	})
	require.Zero(t, left)
}

func TestVerify(t *testing.T) {
	want := map[string]probe.Fact{"550": probe.Yes, "domain": probe.Yes, "252": probe.No, "502": probe.No, "policy": probe.No, "530": probe.Unknown}
	probetest.ReplayAll(t, smtp.Prober{Verify: true}, "testdata/transcripts/verify/*.txt", func(t *testing.T, name string, r *probe.Result) {
		e := sound(t, r)
		require.NoError(t, r.Err)
		require.NotNil(t, e.VRFYReply)
		require.Equal(t, want[name[len("handwritten-"):len(name)-len(".txt")]], e.VerifiesNames)
	})
}

// A level below the handshake reads and sends nothing.
func TestGreetingOnly(t *testing.T) {
	rec, err := replay.Parse([]byte("1 open 192.0.2.7:25\n1 < \"220-mx.example.com\\r\\n220 ESMTP\\r\\n\"\n"))
	require.NoError(t, err)
	rec.Level = probe.LevelGreeting
	player := rec.Player()
	r := probe.Run(t.Context(), smtp.Prober{Injection: true, Verify: true}, rec.Target,
		&probe.Options{Level: probe.LevelGreeting, Dial: player.Dial})
	require.NoError(t, r.Err)
	require.NoError(t, player.Err())
	e := sound(t, r)
	require.Equal(t, "mx.example.com", e.Hostname)
	require.Equal(t, probe.No, e.ImplicitTLS)
	require.Nil(t, e.EHLO)
}
