package nntp_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
)

var _ probe.TLSEvidence = (*nntp.Evidence)(nil)

const transcripts = "testdata/transcripts/"

func evidence(t *testing.T, r *probe.Result) *nntp.Evidence {
	t.Helper()
	e, ok := probe.As[*nntp.Evidence](r)
	require.True(t, ok)
	return e
}

// Every conversation replays strictly and at each split, and its evidence survives being stored.
func TestReplay(t *testing.T) {
	probetest.ReplayAll(t, nntp.Prober{}, transcripts+"*.txt", func(t *testing.T, _ string, r *probe.Result) {
		require.NotEqual(t, probe.OutcomeInternal, r.Outcome)
		stored, err := json.Marshal(r)
		require.NoError(t, err)
		decoded, err := probe.Decode(stored, nntp.Prober{})
		require.NoError(t, err)
		require.Equal(t, r.Evidence, decoded.Evidence)
	})
}

func TestConversations(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 5, 7, 0, time.UTC)
	for _, test := range []struct {
		file    string
		outcome probe.Outcome
		check   func(t *testing.T, e *nntp.Evidence)
	}{
		{"open", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.Yes, e.Posting)
			require.Equal(t, probe.No, e.ImplicitTLS)
			require.Equal(t, "CAPABILITIES", e.CapabilitiesFrom)
			require.Equal(t, "Newsd 1.0", e.Implementation)
			require.Contains(t, e.Capabilities, "POST")
			require.Equal(t, &at, e.ServerDate)
			require.Equal(t, probe.Yes, e.ReadAccess)
			require.Equal(t, 411, e.ReadReply.Code)
			require.Equal(t, probe.No, e.STARTTLS)
			require.Nil(t, e.STARTTLSReply)
			require.Nil(t, e.TLS)
			require.Equal(t, probe.No, e.Feeding)
			require.Nil(t, e.Groups)
		}},
		{"login", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.No, e.Posting)
			require.Empty(t, e.AuthMethods, "AUTHINFO without arguments means not now")
			require.Equal(t, []string{"CRAM-MD5"}, e.SASLMechanisms)
			require.Equal(t, []string{"USER", "SASL"}, e.AuthMethodsAfterTLS)
			require.Equal(t, []string{"CRAM-MD5", "PLAIN"}, e.SASLMechanismsAfterTLS)
			require.Equal(t, probe.Yes, e.STARTTLS)
			require.Equal(t, "1.3", e.TLS.Version)
			require.Equal(t, probe.No, e.ReadAccess)
			require.Equal(t, 480, e.ReadReply.Code)
			require.Equal(t, 480, e.ReadReplyAfterTLS.Code)
		}},
		{"mode-switching", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.No, e.Posting, "MODE READER's word replaces the greeting's")
			require.Equal(t, 201, e.ModeReader.Code)
			require.Equal(t, probe.Yes, e.Feeding)
			require.Contains(t, e.CapabilitiesAfterModeReader, "STARTTLS")
			require.NotContains(t, e.Capabilities, "STARTTLS")
			require.Equal(t, probe.Yes, e.STARTTLS)
			require.Equal(t, probe.Yes, e.ReadAccess)
			require.Nil(t, e.ReadReplyAfterTLS, "what is known isn't asked again")
		}},
		{"list-extensions", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, "LIST EXTENSIONS", e.CapabilitiesFrom)
			require.Equal(t, 500, e.CapabilitiesReply.Code)
			require.Equal(t, []string{"LISTGROUP", "AUTHINFO USER", "STREAMING"}, e.Capabilities)
			require.Equal(t, []string{"USER"}, e.AuthMethods)
			require.Equal(t, probe.Yes, e.Feeding)
			require.Equal(t, probe.No, e.STARTTLS)
		}},
		{"list-215", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, "LIST EXTENSIONS", e.CapabilitiesFrom)
			require.Equal(t, []string{"GENERIC"}, e.AuthMethods)
			require.Equal(t, probe.Yes, e.STARTTLS)
			require.Equal(t, probe.Unknown, e.Feeding)
			require.Empty(t, e.CapabilitiesAfterTLS)
		}},
		{"ancient", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Empty(t, e.CapabilitiesFrom)
			require.Nil(t, e.Capabilities)
			require.Equal(t, probe.Unknown, e.Feeding)
			require.Nil(t, e.ServerDate)
			require.Equal(t, probe.Yes, e.ReadAccess)
			require.Equal(t, probe.No, e.STARTTLS)
			require.Equal(t, 500, e.STARTTLSReply.Code)
		}},
		{"tls-first", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, 483, e.ReadReply.Code)
			require.Equal(t, 411, e.ReadReplyAfterTLS.Code)
			require.Equal(t, probe.Yes, e.ReadAccess, "what an outsider can do at all")
			require.Equal(t, &at, e.ServerDate)
			require.Empty(t, e.CapabilitiesFrom)
			require.Equal(t, probe.No, e.Feeding)
		}},
		{"login-first", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.Yes, e.STARTTLS)
			require.Equal(t, probe.No, e.ReadAccess)
			require.Equal(t, probe.Unknown, e.Feeding)
			require.Empty(t, e.CapabilitiesAfterTLS)
			require.Nil(t, e.ServerDate)
		}},
		{"greeting-400", probe.OutcomeBusy, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, 400, e.Greeting.Code)
			require.Equal(t, probe.Unknown, e.Posting)
			require.Equal(t, probe.Unknown, e.ReadAccess)
			require.Equal(t, probe.Unknown, e.STARTTLS)
		}},
		{"greeting-502", probe.OutcomeDenied, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, 502, e.Greeting.Code)
			require.Equal(t, probe.No, e.ImplicitTLS)
		}},
		{"transit", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.Yes, e.Feeding)
			require.Nil(t, e.ModeReader)
			require.Equal(t, probe.No, e.ReadAccess)
		}},
		{"transit-old", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, 502, e.ModeReader.Code)
			require.Equal(t, probe.No, e.Posting)
		}},
		{"discontinued", probe.OutcomeBusy, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.Unknown, e.ReadAccess)
			require.Equal(t, probe.Unknown, e.STARTTLS, "it was listed, and not asked for")
		}},
		{"starttls-580", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.No, e.STARTTLS)
			require.Equal(t, 580, e.STARTTLSReply.Code)
			require.Nil(t, e.TLS)
		}},
		{"tls-fails", probe.OutcomeTLS, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.Yes, e.STARTTLS)
			require.NotEmpty(t, e.TLS.Error)
			require.Equal(t, probe.Yes, e.ReadAccess)
		}},
		{"groups", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, &nntp.Groups{Malformed: 2, Entries: []nntp.Group{
				{Name: "misc.test", High: 3002, Low: 1, Status: "y"},
				{Name: ".hidden", High: 7, Low: 8, Status: "n"},
				{Name: "x.alias", High: 0, Low: 1, Status: "=misc.test"},
				{Name: "comp.risks", High: 442001, Low: 441099, Status: "m"},
			}}, e.Groups)
		}},
		{"groups-many", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Len(t, e.Groups.Entries, 100)
			require.True(t, e.Groups.Truncated)
		}},
		{"implicit-tls", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.Yes, e.ImplicitTLS)
			require.Equal(t, "implicit", e.TLS.Mode)
			require.Equal(t, probe.Unknown, e.STARTTLS)
			require.Equal(t, []string{"USER"}, e.AuthMethods)
			require.Empty(t, e.CapabilitiesAfterTLS)
		}},
		{"lf-only", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.True(t, e.Greeting.Lossy)
			require.Equal(t, []string{"USER"}, e.AuthMethods, "labels have no case")
			require.Nil(t, e.ServerDate, "there is no 30 February")
			require.Equal(t, probe.Yes, e.ReadAccess)
			require.Equal(t, 502, e.STARTTLSReply.Code)
		}},
		{"ftp", probe.OutcomeNotProtocol, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, 220, e.Greeting.Code)
			require.Equal(t, probe.No, e.ImplicitTLS)
		}},
		{"http", probe.OutcomeNotProtocol, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, &probe.Reply{Lines: []string{"HTTP/1.1 400 Bad Request"}}, e.Greeting)
			require.Equal(t, probe.No, e.ImplicitTLS)
		}},
		{"nonsense", probe.OutcomeMalformed, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, []string{"VERSION 2", "READER"}, e.Capabilities)
		}},
		{"greeting-only", probe.OutcomeOK, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, probe.No, e.Posting)
			require.Nil(t, e.CapabilitiesReply)
		}},
		{"cut-list", probe.OutcomeClosed, func(t *testing.T, e *nntp.Evidence) {
			require.Equal(t, []string{"VERSION 2", "IMPLEMENTATION Newsd 1.0", "REA"}, e.Capabilities)
			require.Equal(t, "Newsd 1.0", e.Implementation)
			require.Equal(t, probe.Unknown, e.Feeding, "half a list says nothing of what isn't on it")
			require.Nil(t, e.AuthMethods, "nor does it say that there is no login")
			require.Empty(t, e.CapabilitiesFrom)
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			r := rerun(t, nntp.Prober{}, "handwritten-"+test.file)
			require.Equal(t, test.outcome, r.Outcome, "%v", r.Err)
			test.check(t, evidence(t, r))
		})
	}
}

// rerun plays a file once and strictly; TestReplay has played it at each split.
func rerun(t *testing.T, p probe.Prober, name string) *probe.Result {
	t.Helper()
	return play(t, p, recording(t, name))
}

func recording(t testing.TB, name string) *replay.Recording {
	t.Helper()
	text, err := os.ReadFile(transcripts + name + ".txt")
	require.NoError(t, err)
	rec, err := replay.Parse(text)
	require.NoError(t, err)
	return rec
}

func play(t testing.TB, p probe.Prober, rec *replay.Recording) *probe.Result {
	t.Helper()
	player := rec.Player()
	r := probe.Run(t.Context(), p, rec.Target, &probe.Options{
		Level: rec.Level, ImplicitTLS: rec.ImplicitTLS, Dial: player.Dial, Rand: player.Rand(),
	})
	require.NoError(t, player.Err())
	return r
}

func TestInjection(t *testing.T) {
	want := map[string]probe.Fact{
		"handwritten-yes.txt": probe.Yes, "handwritten-yes-refused.txt": probe.Yes, "handwritten-no.txt": probe.No,
		"handwritten-refused.txt": probe.No, "handwritten-580.txt": probe.Unknown, "handwritten-busy.txt": probe.Unknown,
		"handwritten-cleartext.txt": probe.Unknown, "handwritten-tls-fails.txt": probe.Unknown, "handwritten-unclear.txt": probe.Unknown,
	}
	probetest.ReplayAll(t, nntp.Prober{Injection: true}, transcripts+"injection/*.txt", func(t *testing.T, name string, r *probe.Result) {
		require.NoError(t, r.Err)
		require.Contains(t, want, name)
		require.Equal(t, want[name], evidence(t, r).STARTTLSInjection())
	})
}

// What the knob asked of real servers.
func TestKnobs(t *testing.T) {
	probetest.ReplayAll(t, nntp.Prober{Injection: true}, transcripts+"knobs/*.txt", func(t *testing.T, _ string, r *probe.Result) {
		require.NoError(t, r.Err)
		require.NotEqual(t, probe.Yes, evidence(t, r).STARTTLSInjected)
	})
}

// Limits cut off lists that go on for ever, and what came is kept.
func TestCapabilitiesWithoutEnd(t *testing.T) {
	rec := recording(t, "handwritten-open")
	rec.Transcript = rec.Transcript[:4] // up to the list
	r := probe.Run(t.Context(), nntp.Prober{}, rec.Target, &probe.Options{
		Dial: replay.Dial(rec.Transcript), Limits: probe.Limits{ReplyLines: 3},
	})
	require.ErrorIs(t, r.Err, probe.OutcomeLimit)
	require.Equal(t, probe.OutcomeLimit, r.Outcome)
	require.Equal(t, []string{"VERSION 2", "IMPLEMENTATION Newsd 1.0", "READER"}, evidence(t, r).Capabilities)
	require.Equal(t, probe.Unknown, evidence(t, r).Feeding)
}

// What the rules say of real servers.
func TestFindings(t *testing.T) {
	for name, want := range map[string][]string{
		"inn2-2.7.1-open":                     {"nntp.read-open", "nntp.exposed"},
		"inn2-2.7.1-login":                    {"nntp.auth-cleartext", "nntp.exposed"}, // it lists POST, but for after the login
		"inn2-2.7.1-login-within-tls":         {"nntp.exposed"},
		"inn2-2.7.1-implicit-tls":             {"nntp.read-open", "nntp.exposed"},
		"inn2-2.7.1-no-certificate":           {"nntp.starttls-broken", "nntp.read-open", "nntp.exposed"},
		"inn2-2.7.1-refusing":                 {"nntp.exposed"},
		"inn2-2.7.1-unavailable":              {"nntp.exposed"},
		"inn2-2.7.1-unavailable-in-cleartext": {"nntp.exposed"},
		"inn2-2.7.1-innd":                     {"nntp.feed-open", "nntp.read-open", "nntp.exposed"},
		"leafnode-1.12.0-open":                {"nntp.read-open", "nntp.starttls-missing", "nntp.exposed"},
		"sn-0.3.8-open":                       {"nntp.read-open", "nntp.starttls-missing", "nntp.exposed"},
	} {
		ids := []string{}
		for _, f := range finding.Evaluate(rerun(t, nntp.Prober{}, name), nntp.Rules) {
			ids = append(ids, f.ID)
		}
		require.Equal(t, want, ids, name)
	}
}
