package interop_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
)

// What each server must show to an outsider. Facts that are left out must be unknown, lists null.
var nntpFacts = []struct {
	server, variant string
	start           func(testing.TB) nntpServer
	outcome         probe.Outcome // "" is ok
	greeting        int
	posting         probe.Fact
	from            string // what gave the capabilities
	implementation  string // the beginning
	read            probe.Fact
	readReplies     [2]int // before and after TLS; 0 if not asked
	starttls        probe.Fact
	tls, dated      bool
	auth, authTLS   []string
	feeding         probe.Fact
	groups          bool
	findings        []string
}{
	{
		server: "inn2", variant: "open", start: nnrpdOpen, greeting: 201, posting: probe.No, from: "CAPABILITIES", implementation: "INN 2.",
		read: probe.Yes, readReplies: [2]int{411, 0}, starttls: probe.Yes, tls: true, dated: true,
		auth: []string{"SASL"}, authTLS: []string{"USER", "SASL"}, feeding: probe.No, groups: true,
		findings: []string{"nntp.read-open", "nntp.exposed"},
	},
	{ // lists POST, which takes a login as everything does
		server: "inn2", variant: "login", start: nnrpdLogin, greeting: 200, posting: probe.Yes, from: "CAPABILITIES", implementation: "INN 2.",
		read: probe.No, readReplies: [2]int{480, 480}, starttls: probe.Yes, tls: true, dated: true,
		auth: []string{"USER", "SASL"}, authTLS: []string{"USER", "SASL"}, feeding: probe.No,
		findings: []string{"nntp.auth-cleartext", "nntp.exposed"},
	},
	{
		server: "inn2", variant: "login-within-tls", start: nnrpdSecureLogin, greeting: 200, posting: probe.Yes, from: "CAPABILITIES", implementation: "INN 2.",
		read: probe.No, readReplies: [2]int{480, 480}, starttls: probe.Yes, tls: true, dated: true,
		auth: []string{"SASL"}, authTLS: []string{"USER", "SASL"}, feeding: probe.No,
		findings: []string{"nntp.exposed"},
	},
	{
		server: "inn2", variant: "implicit-tls", start: nnrpdImplicitTLS, greeting: 201, posting: probe.No, from: "CAPABILITIES", implementation: "INN 2.",
		read: probe.Yes, readReplies: [2]int{411, 0}, starttls: probe.No, tls: true, dated: true,
		auth: []string{"USER", "SASL"}, feeding: probe.No, groups: true,
		findings: []string{"nntp.read-open", "nntp.exposed"},
	},
	{ // lists STARTTLS, and answers it with 580: what it has inside isn't known
		server: "inn2", variant: "no-certificate", start: nnrpdNoCertificate, greeting: 201, posting: probe.No, from: "CAPABILITIES", implementation: "INN 2.",
		read: probe.Yes, readReplies: [2]int{411, 0}, starttls: probe.No, dated: true,
		auth: []string{"SASL"}, groups: true,
		findings: []string{"nntp.starttls-broken", "nntp.read-open", "nntp.exposed"},
	},
	{
		server: "inn2", variant: "refusing", start: nnrpdRefusing, greeting: 502, outcome: probe.OutcomeDenied,
		findings: []string{"nntp.exposed"},
	},
	{
		server: "inn2", variant: "unavailable", start: nnrpdUnavailable, greeting: 400, outcome: probe.OutcomeBusy,
		findings: []string{"nntp.exposed"},
	},
	{
		server: "inn2", variant: "unavailable-in-cleartext", start: asImplicit(nnrpdUnavailableTLS), greeting: 400, outcome: probe.OutcomeBusy,
		findings: []string{"nntp.exposed"},
	},
	{
		server: "inn2", variant: "innd", start: innd, greeting: 200, posting: probe.No, from: "CAPABILITIES", implementation: "INN 2.",
		read: probe.Yes, readReplies: [2]int{411, 0}, starttls: probe.Yes, tls: true, dated: true,
		auth: []string{"SASL"}, authTLS: []string{"USER", "SASL"}, feeding: probe.Yes, groups: true,
		findings: []string{"nntp.feed-open", "nntp.read-open", "nntp.exposed"},
	},
	{
		server: "leafnode", variant: "open", start: leafnode, greeting: 200, posting: probe.Yes, from: "LIST EXTENSIONS",
		read: probe.Yes, readReplies: [2]int{411, 0}, starttls: probe.No, dated: true,
		auth: []string{}, groups: true,
		findings: []string{"nntp.read-open", "nntp.starttls-missing", "nntp.exposed"},
	},
	{
		server: "sn", variant: "open", start: sn, greeting: 201, posting: probe.No,
		read: probe.Yes, readReplies: [2]int{411, 0}, starttls: probe.No,
		groups:   true,
		findings: []string{"nntp.read-open", "nntp.starttls-missing", "nntp.exposed"},
	},
	{
		server: "nntp-server", variant: "open", start: nntpServerOpen, greeting: 201, posting: probe.No, from: "CAPABILITIES",
		read: probe.Yes, readReplies: [2]int{411, 0}, starttls: probe.No, dated: true,
		auth: []string{}, feeding: probe.No, groups: true,
		findings: []string{"nntp.read-open", "nntp.starttls-missing", "nntp.exposed"},
	},
	{ // wants TLS, which it can't begin
		server: "nntp-server", variant: "login", start: nntpServerLogin, greeting: 201, posting: probe.No, from: "CAPABILITIES",
		read: probe.No, readReplies: [2]int{483, 0}, starttls: probe.No, dated: true,
		auth: []string{}, feeding: probe.No,
		findings: []string{"nntp.starttls-missing", "nntp.exposed"},
	},
	{ // says so inside TLS as well
		server: "nntp-server", variant: "implicit-tls", start: nntpServerImplicitTLS, greeting: 201, posting: probe.No, from: "CAPABILITIES",
		read: probe.No, readReplies: [2]int{483, 0}, starttls: probe.No, tls: true, dated: true,
		auth: []string{"USER"}, feeding: probe.No,
		findings: []string{"nntp.exposed"},
	},
}

// asImplicit starts a server that shall be taken for one with TLS from the first byte.
func asImplicit(start func(testing.TB) nntpServer) func(testing.TB) nntpServer {
	return func(t testing.TB) nntpServer {
		t.Helper()
		s := start(t)
		s.Implicit = true
		return s
	}
}

func TestNNTP(t *testing.T) {
	for _, want := range nntpFacts {
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			t.Parallel()
			server := want.start(t)
			r, e := askNNTP(t, nntp.Prober{}, server)
			capture(t, r, want.server+"-"+upstream(server.Version)+"-"+want.variant, want.server+" "+server.Version, nntpPort(server))

			require.Equal(t, cmp.Or(want.outcome, probe.OutcomeOK), r.Outcome, "%v", r.Err)
			require.Equal(t, want.greeting, e.Greeting.Code)
			if want.greeting < 400 {
				requireSoftware(t, r, want.server, server.Version)
			} else {
				require.Empty(t, fingerprint.Builtin().Software(r), "a refusal names nothing")
			}
			require.Equal(t, want.posting, e.Posting)
			require.Equal(t, want.from, e.CapabilitiesFrom)
			require.True(t, strings.HasPrefix(e.Implementation, want.implementation), e.Implementation)
			require.Equal(t, want.read, e.ReadAccess)
			require.Equal(t, want.readReplies, [2]int{code(e.ReadReply), code(e.ReadReplyAfterTLS)})
			require.Equal(t, want.starttls, e.STARTTLS)
			require.Equal(t, want.tls, e.TLS != nil && e.TLS.Version != "")
			require.Equal(t, want.auth, e.AuthMethods)
			require.Equal(t, want.authTLS, e.AuthMethodsAfterTLS)
			require.Equal(t, want.feeding, e.Feeding)
			require.Equal(t, want.dated, e.ServerDate != nil)
			if want.dated {
				require.WithinDuration(t, time.Now(), *e.ServerDate, patience.Total)
			}
			require.Equal(t, want.groups, e.Groups != nil)
			ids := []string{}
			for _, f := range finding.Evaluate(r, nntp.Rules) {
				ids = append(ids, f.ID)
			}
			require.Equal(t, want.findings, ids)
		})
	}
}

// INN 2.7.1 discards what came behind STARTTLS.
func TestNNTPKnobs(t *testing.T) {
	for variant, start := range map[string]func(testing.TB) nntpServer{"open": nnrpdOpen, "innd": innd, "implicit-tls": nnrpdImplicitTLS} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			r, e := askNNTP(t, nntp.Prober{Injection: true}, server)
			require.NoError(t, r.Err)
			capture(t, r, "knobs/inn2-"+upstream(server.Version)+"-"+variant, "inn2 "+server.Version, nntpPort(server))
			if server.Implicit {
				require.Equal(t, probe.Unknown, e.STARTTLSInjected)
			} else {
				require.Equal(t, probe.No, e.STARTTLSInjected)
			}
		})
	}
}

func askNNTP(t *testing.T, p nntp.Prober, server nntpServer) (*probe.Result, *nntp.Evidence) {
	t.Helper()
	o := &probe.Options{Level: probe.LevelAnonymous, ImplicitTLS: probe.FactOf(server.Implicit), Limits: patience}
	r := probe.Run(t.Context(), p, probe.Target{Addr: server.Addr}, o)
	e, ok := probe.As[*nntp.Evidence](r)
	require.True(t, ok)
	return r, e
}

func nntpPort(s nntpServer) uint16 {
	if s.Implicit {
		return 563
	}
	return 119
}

func code(r *probe.Reply) int {
	if r == nil {
		return 0
	}
	return r.Code
}
