package rsync_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/rsync"
)

var (
	_ probe.TLSEvidence    = (*rsync.Evidence)(nil)
	_ probe.BannerEvidence = (*rsync.Evidence)(nil)
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const transcripts = "testdata/transcripts/"

// plain is a prober without knobs, which doesn't wait if nothing is to be waited for.
var plain = rsync.Prober{BusyWait: time.Nanosecond}

// knobs are the probers of the conversations in the folder of that name, by the end of the file's name.
var knobs = map[string]rsync.Prober{
	"modules":    {Modules: []string{"hidden", "hidden-secret", "hidden-denied", "absent", "secret"}, MaxModules: 12, BusyWait: 1},
	"all-hidden": {Modules: []string{"pub"}},
	"capped":     {MaxModules: 1},
}

func evidence(t *testing.T, r *probe.Result) *rsync.Evidence {
	t.Helper()
	e, ok := probe.As[*rsync.Evidence](r)
	require.True(t, ok)
	return e
}

// Every conversation replays strictly and at each split, and its evidence survives being stored.
func TestReplay(t *testing.T) {
	probetest.ReplayAll(t, plain, transcripts+"*.txt", stored)
}

func TestReplayKnobs(t *testing.T) {
	files, err := filepath.Glob(transcripts + "knobs/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		found := false
		for name, p := range knobs {
			if strings.HasSuffix(file, "-"+name+".txt") {
				found = true
				probetest.ReplayAll(t, p, strings.ReplaceAll(file, "+", "?"), stored)
			}
		}
		require.True(t, found, "no prober for %s", file)
	}
}

func stored(t *testing.T, _ string, r *probe.Result) {
	require.NotEqual(t, probe.OutcomeInternal, r.Outcome)
	stored, err := json.Marshal(r)
	require.NoError(t, err)
	decoded, err := probe.Decode(stored, rsync.Prober{})
	require.NoError(t, err)
	require.Equal(t, r.Evidence, decoded.Evidence)
	for _, f := range finding.Evaluate(r, rsync.Rules) {
		for _, pointer := range f.Basis {
			_, err := finding.Resolve(stored, pointer)
			require.NoError(t, err, f.ID)
		}
	}
}

// rerun plays one conversation once; TestReplay does so at each split.
func rerun(t *testing.T, p rsync.Prober, name string) (*probe.Result, *rsync.Evidence) {
	t.Helper()
	text, err := os.ReadFile(transcripts + name + ".txt")
	require.NoError(t, err)
	recording, err := replay.Parse(text)
	require.NoError(t, err)
	r := probe.Run(t.Context(), p, recording.Target, recording.Options())
	return r, evidence(t, r)
}

func module(name, comment string, a rsync.Access, reply string) rsync.Module {
	return rsync.Module{Name: name, Comment: comment, Listed: probe.Yes, Access: a, Reply: reply}
}

var pub = module("pub", "for everybody", "", "")

// Each generation's greeting, its answer (which the replay compares), and what follows from it.
func TestGenerations(t *testing.T) {
	final := new(int)
	for _, test := range []struct {
		file     string
		version  int
		sub      *int
		digests  []string
		absent   rsync.Access
		findings []string
	}{
		{"handwritten-version-1", 1, nil, []string{}, rsync.AccessUnknown, []string{"rsync.exposed", "rsync.module-list", "rsync.weak-auth-digest"}},
		{"handwritten-version-24", 24, nil, []string{}, rsync.AccessUnknown, old},
		{"handwritten-version-25", 25, nil, []string{}, rsync.AccessUnknown, old},
		{"handwritten-version-26", 26, nil, []string{}, rsync.AccessUnknown, old},
		{"handwritten-version-27", 27, nil, []string{}, rsync.AccessUnknown, old},
		{"handwritten-version-27-other", 27, nil, []string{}, rsync.AccessUnknown, old[1:]},
		{"rsync-2.6.3-source", 28, nil, []string{}, rsync.AccessUnknown, oldOpen},
		{"rsync-2.6.9-source", 29, nil, []string{}, rsync.AccessUnknown, oldOpen},
		{"rsync-3.0.9-source", 30, final, []string{}, rsync.AccessUnknown, oldOpen},
		{"rsync-3.1.3-source", 31, final, []string{}, rsync.AccessUnknown, oldOpen},
		{"rsync-3.2.7-source", 31, final, []string{"md5", "md4"}, rsync.AccessUnknown, oldOpen},
		{"handwritten-version-31-unfinished", 31, ptr(14), []string{}, rsync.AccessUnknown, old},
		{"rsync-3.2.7-none", 32, final, strong, rsync.AccessUnknown, []string{"rsync.exposed"}},
		{"rsync-3.5.0+ds1-none", 32, final, strong, rsync.AccessUnknown, []string{"rsync.exposed"}},
		{"handwritten-version-33", 33, final, append([]string{"blake3"}, strong...), rsync.AccessUnknown, []string{"rsync.exposed", "rsync.module-list"}},
	} {
		t.Run(test.file, func(t *testing.T) {
			r, e := rerun(t, plain, test.file)
			if count(e, rsync.AccessBusy) > 0 {
				require.Equal(t, probe.OutcomeBusy, r.Outcome)
			} else {
				require.NoError(t, r.Err)
			}
			require.Equal(t, test.version, e.ProtocolVersion)
			require.Equal(t, test.sub, e.Subprotocol)
			require.ElementsMatch(t, test.digests, e.Digests)
			require.Equal(t, test.absent, e.AbsentAccess)
			require.Equal(t, probe.Yes, e.Listing)
			require.Equal(t, probe.No, e.ImplicitTLS)
			ids := []string{}
			for _, f := range finding.Evaluate(r, rsync.Rules) {
				ids = append(ids, f.ID)
			}
			require.Equal(t, test.findings, ids)
		})
	}
}

var (
	strong  = []string{"sha512", "sha256", "sha1", "md5", "md4"}
	old     = []string{"rsync.outdated", "rsync.exposed", "rsync.module-list", "rsync.weak-auth-digest"}
	oldOpen = append([]string{"rsync.module-open"}, old...)
)

func ptr(n int) *int { return &n }

func TestConversations(t *testing.T) {
	for _, test := range []struct {
		file    string
		outcome probe.Outcome
		check   func(t *testing.T, e *rsync.Evidence)
	}{
		{"greeting-only", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "@RSYNCD: 31.0", e.Greeting)
			require.Empty(t, e.AbsentReply)
			require.Equal(t, probe.Unknown, e.Listing)
		}},
		{"crlf", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, 31, e.ProtocolVersion)
			require.Equal(t, []rsync.Module{pub}, e.Modules)
		}},
		{"error-first", probe.OutcomeDenied, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "@ERROR: access denied by administrator", e.Error)
			require.Equal(t, e.Error, e.Greeting)
			require.Zero(t, e.ProtocolVersion)
		}},
		{"error-list", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, probe.No, e.Listing)
			require.Equal(t, "@ERROR: no list for you", e.Error)
		}},
		{"error-second", probe.OutcomeBusy, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, probe.Unknown, e.Listing)
			require.Nil(t, e.Modules)
			require.Equal(t, "@ERROR: max connections (1) reached - try again later", e.Error)
			require.Equal(t, "@RSYNCD: 31.0", e.Greeting, "the first connection's")
		}},
		{"answer-refused", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Empty(t, e.AbsentAccess)
			require.Contains(t, e.AbsentReply, "omitted")
			require.Equal(t, probe.No, e.Listing)
		}},
		{"hangs-up", probe.OutcomeClosed, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, 31, e.ProtocolVersion)
			require.Equal(t, probe.Unknown, e.Listing)
		}},
		{"not-utf8", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.True(t, e.Lossy)
			require.Equal(t, "caf\uFFFD", e.MOTD)
			want := module("sp\uFFFDcial", "caf\uFFFD", rsync.AccessOpen, "@RSYNCD: OK")
			want.Lossy = true
			require.Equal(t, []rsync.Module{want}, e.Modules)
		}},
		{"motd-counts", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "Welcome, visitor 1\npub            \tfake\n@RSYNCD", e.MOTD)
			require.Equal(t, []rsync.Module{pub}, e.Modules)
		}},
		{"motd-changes", probe.OutcomeMalformed, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "Good night", e.MOTD)
			require.Empty(t, e.Modules)
			require.Equal(t, probe.Unknown, e.Listing)
		}},
		{"motd-glued", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "row\there\nWelcome", e.MOTD)
			require.Equal(t, []rsync.Module{module("pub", "for everybody", rsync.AccessOpen, "@RSYNCD: OK")}, e.Modules)
		}},
		{"motd-glued-none", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "Welcome", e.MOTD)
			require.Equal(t, probe.Yes, e.Listing)
			require.Empty(t, e.Modules)
		}},
		{"list-cut", probe.OutcomeClosed, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, []rsync.Module{pub}, e.Modules)
			require.Equal(t, probe.Unknown, e.Listing)
		}},
		{"list-ok", probe.OutcomeMalformed, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, probe.Unknown, e.Listing)
		}},
		{"rows", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, 4, e.MalformedRows)
			require.Equal(t, 4, e.ModulesUnasked)
			require.Len(t, e.Modules, 6)
			require.Equal(t, rsync.AccessOpen, e.Modules[0].Access)
			require.Empty(t, e.Modules[1].Access)
			require.Equal(t, module("bare", "", rsync.AccessAuth, "@RSYNCD: AUTHREQD x"), e.Modules[5])
		}},
		{"answers", probe.OutcomeClosed, func(t *testing.T, e *rsync.Evidence) {
			want := []rsync.Access{
				rsync.AccessAuth, rsync.AccessOpen, rsync.AccessAuth, "", "", "", rsync.AccessDenied, rsync.AccessDenied, rsync.AccessFailed,
			}
			for i, m := range e.Modules {
				require.Equal(t, want[i], m.Access, "%d: %s", i, m.Reply)
			}
			require.Equal(t, "@ERROR: it is Tuesday", e.Modules[3].Reply)
			require.Empty(t, e.Modules[5].Reply)
		}},
		{"anything-goes", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, rsync.AccessOpen, e.AbsentAccess)
			require.Equal(t, rsync.AccessOpen, e.Modules[0].Access)
		}},
		{"refused-later", probe.OutcomeRefused, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, []rsync.Module{pub}, e.Modules)
		}},
		{"malformed-greeting", probe.OutcomeMalformed, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "@RSYNCD: thirty-one", e.Greeting)
			require.Zero(t, e.ProtocolVersion)
		}},
		{"half-a-greeting", probe.OutcomeClosed, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "@RSYNCD: 3", e.Greeting)
			require.Zero(t, e.ProtocolVersion)
		}},
		{"later-nonsense", probe.OutcomeMalformed, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "@RSYNCD: 31.0", e.Greeting)
		}},
		{"http", probe.OutcomeNotProtocol, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "HTTP/1.1 400 Bad Request", e.Greeting)
		}},
		{"implicit-tls", probe.OutcomeOK, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, probe.Yes, e.ImplicitTLS)
			require.Equal(t, "1.3", e.TLS.Version)
			require.Equal(t, []rsync.Module{pub}, e.Modules)
		}},
		{"implicit-tls-cleartext", probe.OutcomeTLS, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, probe.No, e.ImplicitTLS)
			require.Equal(t, "@RSYNCD: 31.0", e.Greeting)
			require.Equal(t, 31, e.ProtocolVersion)
		}},
		{"implicit-tls-fails", probe.OutcomeTLS, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, probe.Unknown, e.ImplicitTLS)
			require.NotEmpty(t, e.TLS.Error)
		}},
		{"implicit-tls-fails-later", probe.OutcomeTLS, func(t *testing.T, e *rsync.Evidence) {
			require.Equal(t, "1.3", e.TLS.Version, "the first connection's")
			require.Empty(t, e.TLS.Error)
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			r, e := rerun(t, plain, "handwritten-"+test.file)
			require.Equal(t, test.outcome, r.Outcome, "%v", r.Err)
			test.check(t, e)
		})
	}
}
