package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
)

var (
	rsyncOpen = []string{"[pub]", "path = DIR/files", "comment = for everybody"}

	// rsyncModules are of every kind.
	rsyncModules = append(rsyncOpen[:3:3],
		"[secret]", "path = DIR/files", "comment = for some", "auth users = alice", "secrets file = DIR/secrets",
		"[denied]", "path = DIR/files", "comment = for others", "hosts deny = *",
		"[denied-secret]", "path = DIR/files", "hosts deny = *", "auth users = alice", "secrets file = DIR/secrets",
		"[busy]", "path = DIR/files", "comment = for one", "max connections = 1", "lock file = DIR/busy.lock",
		"[disabled]", "path = DIR/files", "max connections = -1",
		"[broken]", "path = DIR/absent",
		"[a name of several words]", "path = DIR/files", "comment = with\ttabs\tin it",
		"[hidden]", "path = DIR/files", "list = no",
		"[hidden-secret]", "path = DIR/files", "list = no", "auth users = alice", "secrets file = DIR/secrets",
		"[hidden-denied]", "path = DIR/files", "list = no", "hosts deny = *",
	)
	rsyncHidden = []string{"hidden", "hidden-secret", "hidden-denied", "absent", "secret"}

	// rsyncOneAtATime share one count of connections, as modules do that name no lock file of their own.
	rsyncOneAtATime = []string{"[one]", "path = DIR/files", "[two]", "path = DIR/files", "[three]", "path = DIR/files"}
)

const rsyncMOTD = "Welcome to the mirror\r\n\n\tindented\npub            \tlooks like a module\nfake\tdoes too\n@RSYNCD looks like more\nno newline here"

// rsyncAccess are the modules as a daemon lists them, and as they answer.
type rsyncAccess []rsyncModule

func (a rsyncAccess) busy() bool {
	return slices.ContainsFunc(a, func(m rsyncModule) bool { return m.access == rsync.AccessBusy })
}

type rsyncModule struct {
	name, comment string
	listed        probe.Fact
	access        rsync.Access
}

var allModules = rsyncAccess{
	{"pub", "for everybody", probe.Yes, rsync.AccessOpen},
	{"secret", "for some", probe.Yes, rsync.AccessAuth},
	{"denied", "for others", probe.Yes, rsync.AccessDenied},
	{"denied-secret", "", probe.Yes, rsync.AccessDenied},
	{"busy", "for one", probe.Yes, rsync.AccessBusy},
	{"disabled", "", probe.Yes, rsync.AccessDenied},
	{"broken", "", probe.Yes, rsync.AccessFailed},
	{"a name of several words", "with\ttabs\tin it", probe.Yes, rsync.AccessOpen},
	{"hidden", "", probe.No, rsync.AccessOpen},
	{"hidden-secret", "", probe.No, rsync.AccessAuth},
	{"hidden-denied", "", probe.No, rsync.AccessUnknown},
	{"absent", "", probe.No, rsync.AccessUnknown},
}

var onePub = rsyncAccess{{"pub", "for everybody", probe.Yes, rsync.AccessOpen}}

// What each daemon must show to an outsider.
var rsyncFacts = []struct {
	server, variant string
	start           func(testing.TB) rsyncServer
	prober          rsync.Prober
	version         int
	digests         []string
	motd            string
	modules         rsyncAccess
	unasked         int
	tls             string
	findings        []string
}{
	{
		server: "rsync", variant: "modules", start: rsyncConfig{pkg: "rsync", parts: rsyncModules, occupy: "busy"}.start,
		prober: rsync.Prober{Modules: rsyncHidden, MaxModules: 12}, version: 32, digests: rsyncDigests, modules: allModules,
		findings: []string{"rsync.module-open", "rsync.exposed", "rsync.module-list"},
	},
	{ // patched, and says so by its version
		server: "rsync-bookworm", variant: "modules", start: rsyncConfig{pkg: "rsync-bookworm", parts: rsyncModules, occupy: "busy"}.start,
		prober: rsync.Prober{Modules: rsyncHidden, MaxModules: 12}, version: 32, digests: rsyncDigests, modules: allModules,
		findings: []string{"rsync.module-open", "rsync.exposed", "rsync.module-list"},
	},
	{
		server: "rsync", variant: "motd", start: rsyncConfig{pkg: "rsync", motd: rsyncMOTD, parts: rsyncOpen}.start,
		version: 32, digests: rsyncDigests, modules: onePub,
		motd:     "Welcome to the mirror\n\n\tindented\npub            \tlooks like a module\nfake\tdoes too\n@RSYNCD looks like more\nno newline here",
		findings: []string{"rsync.module-open", "rsync.exposed", "rsync.module-list"},
	},
	{
		server: "rsync", variant: "motd-alone", start: rsyncConfig{pkg: "rsync", motd: "pub\tno module at all\n"}.start,
		version: 32, digests: rsyncDigests, motd: "pub\tno module at all", findings: []string{"rsync.exposed"},
	},
	{
		server: "rsync", variant: "none", start: rsyncConfig{pkg: "rsync"}.start,
		version: 32, digests: rsyncDigests, findings: []string{"rsync.exposed"},
	},
	{
		server: "rsync-bookworm", variant: "none", start: rsyncConfig{pkg: "rsync-bookworm"}.start,
		version: 32, digests: rsyncDigests, findings: []string{"rsync.exposed"},
	},
	{ // passwords wanted for all: nothing but the list is told
		server: "rsync", variant: "auth", start: rsyncConfig{pkg: "rsync", global: []string{"auth users = alice", "secrets file = DIR/secrets"}, parts: rsyncOpen}.start,
		version: 32, digests: rsyncDigests, modules: rsyncAccess{{"pub", "for everybody", probe.Yes, rsync.AccessAuth}},
		findings: []string{"rsync.exposed", "rsync.module-list"},
	},
	{ // the strongest of the digests is agreed on, so that a floor for them is no obstacle
		server: "rsync", variant: "auth-digest", start: rsyncConfig{pkg: "rsync", global: []string{"auth users = alice", "auth digest = sha512", "secrets file = DIR/secrets"}, parts: rsyncOpen}.start,
		version: 32, digests: rsyncDigests, modules: rsyncAccess{{"pub", "for everybody", probe.Yes, rsync.AccessAuth}},
		findings: []string{"rsync.exposed", "rsync.module-list"},
	},
	{
		server: "rsync", variant: "all-denied", start: rsyncConfig{pkg: "rsync", global: []string{"hosts deny = *"}, parts: rsyncOpen}.start,
		version: 32, digests: rsyncDigests, modules: rsyncAccess{{"pub", "for everybody", probe.Yes, rsync.AccessDenied}},
		findings: []string{"rsync.exposed", "rsync.module-list"},
	},
	{
		server: "rsync", variant: "all-hidden", start: rsyncConfig{pkg: "rsync", global: []string{"list = no"}, parts: rsyncOpen}.start,
		prober:  rsync.Prober{Modules: []string{"pub"}},
		version: 32, digests: rsyncDigests, modules: rsyncAccess{{"pub", "", probe.No, rsync.AccessOpen}},
		findings: []string{"rsync.module-open", "rsync.exposed"},
	},
	{ // the connection to one doesn't make the next one busy
		server: "rsync", variant: "one-at-a-time", start: rsyncConfig{pkg: "rsync", global: []string{"max connections = 1"}, parts: rsyncOneAtATime}.start,
		version: 32, digests: rsyncDigests, modules: rsyncAccess{
			{"one", "", probe.Yes, rsync.AccessOpen}, {"two", "", probe.Yes, rsync.AccessOpen}, {"three", "", probe.Yes, rsync.AccessOpen},
		},
		findings: []string{"rsync.module-open", "rsync.exposed", "rsync.module-list"},
	},
	{
		server: "rsync", variant: "capped", start: rsyncConfig{pkg: "rsync", parts: rsyncOneAtATime}.start,
		prober: rsync.Prober{MaxModules: 1}, version: 32, digests: rsyncDigests, unasked: 2, modules: rsyncAccess{
			{"one", "", probe.Yes, rsync.AccessOpen}, {"two", "", probe.Yes, ""}, {"three", "", probe.Yes, ""},
		},
		findings: []string{"rsync.module-open", "rsync.exposed", "rsync.module-list"},
	},
	{
		server: "rsync", variant: "implicit-tls", start: rsyncTLS, tls: "1.3",
		version: 32, digests: rsyncDigests, modules: onePub,
		findings: []string{"rsync.module-open", "rsync.exposed", "rsync.module-list"},
	},
	{
		server: "fake", variant: "old-29", start: fakeRsync("@RSYNCD: 29", true), version: 29,
		modules:  rsyncAccess{{"old", "from another time", probe.Yes, rsync.AccessUnknown}},
		findings: []string{"rsync.outdated", "rsync.exposed", "rsync.module-list", "rsync.weak-auth-digest"},
	},
	{
		server: "fake", variant: "old-24", start: fakeRsync("@RSYNCD: 24", false), version: 24,
		modules:  rsyncAccess{{"old", "from another time", probe.Yes, rsync.AccessUnknown}},
		findings: []string{"rsync.outdated", "rsync.exposed", "rsync.module-list", "rsync.weak-auth-digest"},
	},
}

var rsyncDigests = []string{"sha512", "sha256", "sha1", "md5", "md4"}

func TestRsync(t *testing.T) {
	for _, want := range rsyncFacts {
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			t.Parallel()
			s := want.start(t)
			r, e := askRsync(t, want.prober, s)
			for range 2 { // the connection before the last may count for longer than the prober waits
				if r.Outcome != probe.OutcomeBusy || want.modules.busy() {
					break
				}
				r, e = askRsync(t, want.prober, s)
			}
			if !s.Fake {
				folder := ""
				if !reflect.ValueOf(want.prober).IsZero() {
					folder = "knobs/"
				}
				capture(t, r, folder+"rsync-"+upstream(s.Version)+"-"+want.variant, "rsync "+s.Version, rsyncPort(s))
			}
			if want.modules.busy() {
				require.Equal(t, probe.OutcomeBusy, r.Outcome)
			} else {
				require.NoError(t, r.Err)
			}
			requireSoftware(t, r, "rsync", s.Version)
			require.Equal(t, want.version, e.ProtocolVersion, e.Greeting)
			require.ElementsMatch(t, want.digests, e.Digests)
			require.Equal(t, want.motd, e.MOTD)
			require.Equal(t, rsync.AccessUnknown, e.AbsentAccess, e.AbsentReply)
			require.Equal(t, probe.Yes, e.Listing)
			require.Empty(t, e.Error)
			require.Equal(t, want.unasked, e.ModulesUnasked)
			require.Zero(t, e.MalformedRows)
			require.False(t, e.ModulesTruncated)
			require.Equal(t, want.modules, accesses(e))
			require.Equal(t, probe.FactOf(s.Implicit), e.ImplicitTLS)
			if want.tls != "" {
				require.Equal(t, want.tls, e.TLS.Version)
			} else {
				require.Nil(t, e.TLS)
			}
			require.Equal(t, want.findings, rsyncIDs(finding.Evaluate(r, rsync.Rules)))
		})
	}
}

// Below level anonymous no module that may exist is asked for.
func TestRsyncHandshake(t *testing.T) {
	s := rsyncConfig{pkg: "rsync", motd: rsyncMOTD, parts: rsyncModules}.start(t)
	r := probe.Run(t.Context(), rsync.Prober{Modules: rsyncHidden}, probe.Target{Addr: s.Addr}, &probe.Options{Limits: patience})
	require.NoError(t, r.Err)
	capture(t, r, "rsync-"+upstream(s.Version)+"-handshake", "rsync "+s.Version, rsyncPort(s))
	e, _ := probe.As[*rsync.Evidence](r)
	require.Len(t, e.Modules, 8)
	for _, m := range e.Modules {
		require.Empty(t, m.Access)
	}
}

// On a port where anything may be, a daemon is recognised by its greeting, and the same connection goes on.
func TestRsyncDetected(t *testing.T) {
	for name, s := range map[string]rsyncServer{"cleartext": rsyncConfig{pkg: "rsync", motd: rsyncMOTD, parts: rsyncOneAtATime}.start(t), "TLS": rsyncTLS(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := detect.Detector{Probers: handclasp.Probers()}
			agree(t, func(t testing.TB) { // a detector waits for a few seconds, whatever the limits are
				r := probe.Run(t.Context(), d, probe.Target{Addr: s.Addr}, &probe.Options{Level: probe.LevelAnonymous, Limits: patience})
				require.NoError(t, r.Err)
				require.Equal(t, "rsync", r.Protocol)
				e, ok := probe.As[*rsync.Evidence](r)
				require.True(t, ok)
				require.Equal(t, probe.Yes, e.Listing)
				require.Equal(t, rsync.AccessOpen, e.Modules[0].Access)
				require.Equal(t, probe.FactOf(s.Implicit), e.ImplicitTLS)
			})
		})
	}
}

// A module's hooks are run when it is entered, which is why that isn't done by default.
func TestRsyncHooks(t *testing.T) {
	s := rsyncConfig{pkg: "rsync", parts: append(rsyncOpen[:3:3], "early exec = touch DIR/early", "post-xfer exec = touch DIR/late")}.start(t)
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(s.Dir, name))
		return err == nil
	}
	r := probe.Run(t.Context(), rsync.Prober{}, probe.Target{Addr: s.Addr}, &probe.Options{Limits: patience})
	require.NoError(t, r.Err)
	require.False(t, there("early"))
	r, e := askRsync(t, rsync.Prober{}, s)
	require.NoError(t, r.Err)
	require.Equal(t, rsync.AccessOpen, e.Modules[0].Access)
	require.True(t, there("early"))
	require.Eventually(t, func() bool { return there("late") }, patience.Idle, 50*time.Millisecond)
}

func askRsync(t *testing.T, p rsync.Prober, s rsyncServer) (*probe.Result, *rsync.Evidence) {
	t.Helper()
	o := &probe.Options{Level: probe.LevelAnonymous, ImplicitTLS: probe.FactOf(s.Implicit), Limits: patience}
	r := probe.Run(t.Context(), p, probe.Target{Addr: s.Addr}, o)
	e, ok := probe.As[*rsync.Evidence](r)
	require.True(t, ok)
	return r, e
}

func accesses(e *rsync.Evidence) (list rsyncAccess) {
	for _, m := range e.Modules {
		list = append(list, rsyncModule{m.Name, m.Comment, m.Listed, m.Access})
	}
	return list
}

// rsyncIDs are the findings of this protocol, which those on certificates aren't.
func rsyncIDs(found []finding.Finding) []string {
	ids := []string{}
	for _, f := range found {
		if strings.HasPrefix(f.ID, "rsync.") {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func rsyncPort(s rsyncServer) uint16 {
	if s.Implicit {
		return 874
	}
	return 873
}

// The command shows of a daemon what the library shows.
func TestRsyncCommand(t *testing.T) {
	command := filepath.Join(t.TempDir(), "handclasp")
	out, err := exec.Command("go", "build", "-o", command, "../../cmd/handclasp").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, want := range rsyncFacts {
		if len(want.prober.Modules) > 0 || want.prober.MaxModules > 0 {
			continue // the command has no such options
		}
		t.Run(want.server+" "+want.variant, func(t *testing.T) {
			t.Parallel()
			s := want.start(t)
			scheme := "rsync://"
			if s.Implicit {
				scheme = "rsyncs://"
			}
			line, status := runCommand(t, command, "scan", scheme+s.Addr.String(), "--plain", "--format", "jsonl", "--level", "anonymous",
				"--retries", "2") // the connection before the last may count for longer than the prober waits
			require.Equal(t, 0, status)
			r, err := probe.Decode([]byte(line), handclasp.Probers()...)
			require.NoError(t, err)
			e, ok := r.Evidence.(*rsync.Evidence)
			require.True(t, ok)
			require.Equal(t, want.version, e.ProtocolVersion)
			require.Equal(t, want.motd, e.MOTD)
			require.Equal(t, want.modules, accesses(e))
			var record finding.Record
			require.NoError(t, record.UnmarshalJSON([]byte(line)))
			require.Equal(t, want.findings, rsyncIDs(record.Findings))
		})
	}
}
