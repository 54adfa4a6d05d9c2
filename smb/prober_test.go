package smb_test

import (
	"context"
	"flag"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/smb"
)

var update = flag.Bool("update", false, "write the conversations with the fake server into testdata/transcripts")

const transcripts = "testdata/transcripts/"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	direct  = netip.MustParseAddrPort("192.0.2.7:445")
	netbios = netip.MustParseAddrPort("192.0.2.7:139")
	day     = time.Date(2026, 1, 31, 12, 5, 7, 123456700, time.UTC)
)

// A scenario is one server and what must be learned of it.
type scenario struct {
	server  fakesmb.Server
	names   func(query []byte) []byte // answers NBSTAT; nil stays silent
	drops   []int                     // the connections that are dropped unheard, counted from 1
	idle    time.Duration             // how long to wait; 0 for longer than anything takes
	prober  smb.Prober
	target  netip.AddrPort
	outcome probe.Outcome // "" is ok
	check   func(t *testing.T, e *smb.Evidence)
}

// A dialer connects to a scenario's server.
type dialer struct {
	scenario
	serving sync.WaitGroup
	mu      sync.Mutex
	conns   int
}

// dial serves a pipe, or for UDP the name service.
func (d *dialer) dial(_ context.Context, network, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	d.mu.Lock()
	d.conns++
	dropped := slices.Contains(d.drops, d.conns)
	d.mu.Unlock()
	d.serving.Go(func() {
		defer far.Close()
		switch {
		case dropped:
		case network == "udp":
			d.nameService(far)
		default:
			d.server.Handle(far)
		}
	})
	return near, nil
}

func (d *dialer) nameService(c net.Conn) {
	query := make([]byte, 1024)
	for {
		n, err := c.Read(query)
		if err != nil {
			return
		}
		if d.names == nil {
			continue
		}
		if _, err := c.Write(d.names(query[:n])); err != nil {
			return
		}
	}
}

// counting gives bytes that differ, but are the same each time.
type counting struct {
	mu sync.Mutex
	n  byte
}

func (r *counting) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range p {
		p[i] = r.n
		r.n++
	}
	return len(p), nil
}

func (s scenario) run(t *testing.T) *probe.Result {
	t.Helper()
	d := &dialer{scenario: s}
	target := s.target
	if !target.IsValid() {
		target = direct
	}
	r := probe.Run(t.Context(), s.prober, probe.Target{Addr: target}, &probe.Options{
		Dial: d.dial, Rand: new(counting), Limits: probe.Limits{Idle: s.idle},
	})
	d.serving.Wait()
	return r
}

func (s scenario) judge(t *testing.T, r *probe.Result) {
	t.Helper()
	if s.outcome == "" {
		require.NoError(t, r.Err)
	} else {
		require.Equal(t, s.outcome, r.Outcome, "%v", r.Err)
	}
	s.check(t, evidence(t, r))
}

func evidence(t *testing.T, r *probe.Result) *smb.Evidence {
	t.Helper()
	e, ok := probe.As[*smb.Evidence](r)
	require.True(t, ok)
	return e
}

// kept are the scenarios whose conversation is among the transcripts.
var kept = []string{
	"windows-10", "windows-2003", "none-spoken", "core", "netbios-own-name", "netbios-no-name-service", "netbios-retarget",
	"challenge-out-of-bounds",
}

func TestScenarios(t *testing.T) {
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			r := s.run(t)
			if *update && slices.Contains(kept, name) {
				rec := replay.Record(r, "a made-up one: internal/fakesmb", "handwritten")
				require.NoError(t, os.WriteFile(filepath.Join(transcripts, "handwritten-"+name+".txt"), rec.Format(), 0o644))
			}
			s.judge(t, r)
		})
	}
}

// Each conversation says the same again, in whatever pieces it comes.
func TestReplay(t *testing.T) {
	all := scenarios()
	probetest.ReplayAll(t, smb.Prober{}, transcripts+"*.txt", func(t *testing.T, name string, r *probe.Result) {
		if made, ok := strings.CutPrefix(strings.TrimSuffix(name, ".txt"), "handwritten-"); ok {
			require.Contains(t, all, made)
			all[made].judge(t, r)
			return
		}
		require.NoError(t, r.Err)
		require.Equal(t, "FILES", evidence(t, r).NTLM.TargetName)
	})
}

// A server that drops some of those who come at once is asked again.
func TestDropsSome(t *testing.T) {
	s := scenario{server: windows10(), drops: []int{2, 4, 5, 7}}
	s.server.SMB1, s.server.Security = []string{"NT LM 0.12"}, 3
	r := s.run(t)
	require.NoError(t, r.Err)
	require.Equal(t, everyDialect, evidence(t, r).Dialects)
	require.Equal(t, probe.Yes, evidence(t, r).SMB1.Supported)
}

// What is dropped twice stays unknown, SMB1 too: that is how it is turned off, but here the others are dropped as well.
func TestDropsAgain(t *testing.T) {
	s := scenario{server: windows10(), drops: []int{2, 3, 4, 5, 6, 7, 8, 9, 10}}
	r := s.run(t)
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
	require.Subset(t, r.Partial, []string{"/evidence/matrix/0", "/evidence/matrix/4", "/evidence/dialects", "/evidence/smb1"})
	e := evidence(t, r)
	require.Equal(t, []string{"3.1.1"}, e.Dialects, "chosen of all")
	require.Empty(t, e.DialectsRefused)
	require.Equal(t, probe.OutcomeClosed, e.Matrix[0].Outcome)
	require.Equal(t, probe.Unknown, e.Matrix[0].Spoken)
	require.Equal(t, probe.Unknown, e.SMB1.Supported)
	require.Equal(t, 8, connections(r), "one more try shows that it takes none")
}

// What the offer of all dialects alone would have told is lost with it, though each dialect answers, and SMB1.
func TestDropsTheFirst(t *testing.T) {
	s := scenario{server: windows10(), drops: []int{1}}
	s.server.SMB1, s.server.Security = []string{"NT LM 0.12"}, 3
	r := s.run(t)
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
	require.Equal(t, everyDialect, evidence(t, r).Dialects)
	require.Equal(t, probe.No, evidence(t, r).SMB1.SigningRequired)
	require.Equal(t, probe.Unknown, evidence(t, r).SigningRequired)
	require.Subset(t, r.Partial, []string{"/evidence/signing_required", "/evidence/preferred_dialect"})
	require.NotContains(t, r.Partial, "/evidence/dialects")
}

// A server that has no room for one question, or turns this client away from it, hasn't answered it.
func TestTurnsAwayFromAQuestion(t *testing.T) {
	for status, want := range map[uint32]probe.Outcome{0xc00000d0: probe.OutcomeBusy, 0xc0000205: probe.OutcomeBusy, 0xc0000022: probe.OutcomeDenied} {
		for magic, lost := range map[string][]string{"\xffSMB": {"/evidence/smb1"}, "\xfeSMB": {"/evidence/signing_required", "/evidence/dialects"}} {
			s := scenario{server: with(windows10(), func(s *fakesmb.Server) {
				s.SMB1, s.Security = []string{"NT LM 0.12"}, 3
				s.Mangle = func(m []byte) []byte {
					switch {
					case string(m[:4]) != magic || magic == "\xfeSMB" && le.Uint16(m[12:]) != 0:
						return m
					case magic == "\xffSMB":
						le.PutUint32(m[5:], status)
						return append(m[:32], 0, 0, 0)
					}
					return answers(0, status)(m)
				}
			})}
			r := s.run(t)
			require.Equal(t, want, r.Outcome, "%#x", status)
			if slices.Contains(r.Partial, "/evidence") {
				continue // it ended there
			}
			require.Subset(t, r.Partial, lost, "%#x to %q", status, magic)
		}
	}
}

// Servers turn clients away by a negative session response without NetBIOS, too; with it, an answer that isn't about the name
// ends the search for one.
func TestTurnedAway(t *testing.T) {
	for reason, want := range map[string]probe.Outcome{"\x81": probe.OutcomeDenied, "\x83": probe.OutcomeBusy, "\x8f": probe.OutcomeDenied} {
		for _, target := range []netip.AddrPort{direct, netbios} {
			if target == netbios && reason == "\x8f" {
				continue // that may be about the name
			}
			r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: target}, &probe.Options{Dial: saying("\x83\x00\x00\x01" + reason)})
			require.Equal(t, want, r.Outcome, "%v", r.Err)
			require.Equal(t, 1, connections(r))
			require.Equal(t, []string{"/evidence"}, r.Partial)
			require.Empty(t, evidence(t, r).NegotiateStatus)
		}
	}
}

// saying dials servers that answer anything so, and hang up.
func saying(reply string) probe.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			if _, err := far.Read(make([]byte, 1<<10)); err == nil {
				_, _ = far.Write([]byte(reply))
			}
		}()
		return near, nil
	}
}

// connections counts them.
func connections(r *probe.Result) (n int) {
	for _, e := range r.Transcript {
		if e.Dir == probe.DirOpen {
			n++
		}
	}
	return n
}

func TestAlgorithms(t *testing.T) {
	s := scenario{server: windows10(), prober: smb.Prober{Algorithms: true}}
	r := s.run(t)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"AES-128-GCM", "AES-128-CCM", "AES-256-GCM"}, evidence(t, r).Ciphers)
	require.Equal(t, []string{"AES-GMAC", "AES-CMAC"}, evidence(t, r).SigningAlgorithms)
}

// The scheme and the knob say how SMB is carried if the port doesn't.
func TestNetBIOSOnAnotherPort(t *testing.T) {
	s := scenario{
		server: with(windows10(), func(s *fakesmb.Server) { s.CalledNames = []string{"*SMBSERVER"} }),
		prober: smb.Prober{}.ForScheme("smb+nbt").(smb.Prober), target: netip.MustParseAddrPort("192.0.2.7:1139"),
	}
	require.Equal(t, "netbios", evidence(t, s.run(t)).Transport)
	s = scenario{server: windows10(), prober: smb.Prober{NetBIOS: probe.No}, target: netbios}
	require.Equal(t, "direct", evidence(t, s.run(t)).Transport)
}

// Nothing is sent at level greeting, where a server says nothing either.
func TestGreeting(t *testing.T) {
	d := &dialer{scenario: scenario{server: windows10()}}
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: direct}, &probe.Options{Dial: d.dial, Level: probe.LevelGreeting})
	d.serving.Wait()
	require.NoError(t, r.Err)
	require.Len(t, r.Transcript, 1)
	require.Empty(t, evidence(t, r).Transport)
}

// The end of the time is said, even if it comes between the questions.
func TestCanceled(t *testing.T) {
	server, err := lab.Serve(t.Context(), lab.Neighbour{}, windows10().Handle)
	require.NoError(t, err)
	defer server.Close()
	for after := range 8 {
		ctx, cancel := context.WithCancel(t.Context())
		conns := 0
		r := probe.Run(ctx, smb.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{Trace: func(e probe.Event) {
			if e.Dir == probe.DirOpen {
				if conns++; conns > after {
					cancel()
				}
			}
		}})
		cancel()
		require.Equal(t, probe.OutcomeCanceled, r.Outcome, "after %d: %v", after, r.Err)
	}
}

// Too few connections leave some dialects unknown, and say so.
func TestConnectionLimit(t *testing.T) {
	d := &dialer{scenario: scenario{server: windows10()}}
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: direct}, &probe.Options{Dial: d.dial, Limits: probe.Limits{Conns: 3}})
	d.serving.Wait()
	require.Equal(t, probe.OutcomeLimit, r.Outcome)
	require.Equal(t, []string{"2.0.2", "2.1", "3.1.1"}, evidence(t, r).Dialects)
	require.Contains(t, r.Partial, "/evidence/matrix/2")
	require.Contains(t, r.Partial, "/evidence/smb1")
	require.Equal(t, "3.1.1", evidence(t, r).PreferredDialect)
	require.Equal(t, probe.OutcomeLimit, evidence(t, r).Matrix[4].Outcome)
	require.Equal(t, probe.Unknown, evidence(t, r).SMB1.Supported)
}

// The whole prober, over TCP, finds what a server gives to anybody, and says so.
func TestVisit(t *testing.T) {
	server, err := lab.OpenFiles(t.Context())
	require.NoError(t, err)
	defer server.Close()
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Equal(t, probe.Yes, e.NullSession)
	require.Equal(t, probe.Unknown, e.Guest)
	require.Equal(t, []smb.Share{{"public", "disk", "For everybody"}, {"backup", "disk", "Nightly"}, {"IPC$", "ipc", "Remote IPC"}}, e.Shares)
	var ids []string
	for _, f := range finding.Evaluate(r, smb.Rules) {
		ids = append(ids, f.ID)
	}
	require.Subset(t, ids, []string{"smb.null-session", "smb.shares-listed"})
	require.NotContains(t, ids, "smb.guest")
}

// A server without null sessions says so, at the same level.
func TestVisitRefused(t *testing.T) {
	server, err := lab.OldFiles(t.Context())
	require.NoError(t, err)
	defer server.Close()
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Equal(t, probe.No, e.NullSession)
	require.Equal(t, "STATUS_ACCESS_DENIED", e.Anonymous.Status)
	require.Empty(t, e.Shares)
}

// A server with one cipher, whatever it is, is no obstacle: a null session isn't encrypted.
func TestVisitOneCipher(t *testing.T) {
	files := with(windows10(), func(s *fakesmb.Server) {
		s.Ciphers, s.Visit = []uint16{4}, &fakesmb.Visit{Shares: []fakesmb.Share{{Name: "public"}}}
	})
	server, err := lab.Serve(t.Context(), lab.Neighbour{}, files.Handle)
	require.NoError(t, err)
	defer server.Close()
	r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: server.Addr}, &probe.Options{Level: probe.LevelAnonymous})
	require.NoError(t, r.Err)
	e := evidence(t, r)
	require.Equal(t, []string{"AES-256-GCM"}, e.Ciphers)
	require.Equal(t, probe.Yes, e.NullSession)
	require.Len(t, e.Shares, 1)
}

func TestConform(t *testing.T) {
	probetest.ConformWith(t, smb.Prober{}, probetest.Conformance{Recordings: transcripts + "samba-*-lanman-netbios.txt"})
}

var _ detect.Asker = smb.Prober{}

func TestRecognise(t *testing.T) {
	require.Equal(t, probe.Possible, smb.Prober{}.Recognise(nil))
	require.Equal(t, probe.Foreign, smb.Prober{}.Recognise([]byte("\x00")))
	for reply, want := range map[string]probe.Recognition{
		"": probe.Undecided, "\x00": probe.Undecided, "\x00\x00\x01\x1c": probe.Undecided, "\x00\x00\x01\x1c\xfeSM": probe.Undecided,
		"\x00\x00\x01\x1c\xfeSMB": probe.Undecided, "\x00\x00\x00\x23\xffSMBr": probe.Undecided,
		offer("\xfeSMB", 16, 1): probe.Recognised, offer("\xffSMBr", 9, 0x88): probe.Recognised,
		offer("\xfeSMB", 16, 0): probe.Foreign, offer("\xffSMBr", 9, 0x18): probe.Foreign, // an echo
		"H": probe.Foreign, "\x00\x01": probe.Foreign, "\x00\x00\x00\x05\xfdSMB": probe.Foreign, "\x82\x00\x00\x00": probe.Foreign,
	} {
		require.Equal(t, want, smb.Prober{}.Answers(0, []byte(reply)), "%q", reply)
	}
}

// offer is the beginning of a message whose header has a byte of flags at a place.
func offer(magic string, at int, flags byte) string {
	header := append([]byte(magic), make([]byte, 64)...)
	header[at] = flags
	return "\x00\x00\x00\x40" + string(header)
}

// A file server is found on a port that says nothing of it.
func TestDetected(t *testing.T) {
	server, err := lab.OldFiles(t.Context())
	require.NoError(t, err)
	defer server.Close()
	d := detect.Detector{Probers: []probe.Prober{smb.Prober{}}, Wait: 300 * time.Millisecond}
	r := probe.Run(t.Context(), d, probe.Target{Addr: server.Addr}, nil)
	require.NoError(t, r.Err)
	e, ok := probe.As[*smb.Evidence](r)
	require.True(t, ok)
	require.Equal(t, []string{"2.0.2", "2.1"}, e.Dialects)
}

// A server that speaks nothing newer than SMB1 gives null sessions as well.
func TestVisitSMB1(t *testing.T) {
	const denied = 0xc0000022
	const yes, no, unknown = probe.Yes, probe.No, probe.Unknown
	only := func(command uint16, status uint32) map[uint16]uint32 { return map[uint16]uint32{command: status} }
	shares := []fakesmb.Share{{Name: "öffentlich", Comment: "für alle"}, {Name: "IPC$", Type: fakesmb.IPC}}
	for name, c := range map[string]struct {
		visit       fakesmb.Visit
		old         bool
		null, guest probe.Fact
		said        smb.AnonymousSession
	}{
		"extended security": {fakesmb.Visit{}, false, yes, unknown, smb.AnonymousSession{Status: "STATUS_SUCCESS", TreeStatus: "STATUS_SUCCESS", ListStatus: "ERROR_SUCCESS"}},
		"none":              {fakesmb.Visit{}, true, yes, unknown, smb.AnonymousSession{Status: "STATUS_SUCCESS", TreeStatus: "STATUS_SUCCESS", ListStatus: "ERROR_SUCCESS"}},
		"guest":             {fakesmb.Visit{Flags: 1}, false, no, yes, smb.AnonymousSession{Status: "STATUS_SUCCESS", TreeStatus: "STATUS_SUCCESS", ListStatus: "ERROR_SUCCESS"}},
		"many PDUs":         {fakesmb.Visit{Fragment: 60, Part: 48}, true, yes, unknown, smb.AnonymousSession{Status: "STATUS_SUCCESS", TreeStatus: "STATUS_SUCCESS", ListStatus: "ERROR_SUCCESS"}},
		"login denied":      {fakesmb.Visit{Statuses: only(0x73, denied)}, false, no, unknown, smb.AnonymousSession{Status: "STATUS_ACCESS_DENIED"}},
		"old login denied":  {fakesmb.Visit{Statuses: only(0x73, denied)}, true, no, unknown, smb.AnonymousSession{Status: "STATUS_ACCESS_DENIED"}},
		"tree denied":       {fakesmb.Visit{Statuses: only(0x75, denied)}, true, no, unknown, smb.AnonymousSession{Status: "STATUS_SUCCESS", TreeStatus: "STATUS_ACCESS_DENIED"}},
		"no pipe":           {fakesmb.Visit{Statuses: map[uint16]uint32{0xa2: denied, 0x25: denied}}, true, yes, unknown, smb.AnonymousSession{Status: "STATUS_SUCCESS", TreeStatus: "STATUS_SUCCESS", ListStatus: "STATUS_ACCESS_DENIED"}},
		"bind refused":      {fakesmb.Visit{RefuseBind: true, Result: 5}, true, yes, unknown, smb.AnonymousSession{Status: "STATUS_SUCCESS", TreeStatus: "STATUS_SUCCESS", ListStatus: "RPC bind refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.visit.Shares = shares
			d := &dialer{scenario: scenario{server: with(windows2003(), func(s *fakesmb.Server) { s.Visit, s.Old = &c.visit, c.old })}}
			r := probe.Run(t.Context(), smb.Prober{}, probe.Target{Addr: direct}, &probe.Options{Dial: d.dial, Rand: new(counting), Level: probe.LevelAnonymous})
			d.serving.Wait()
			require.NoError(t, r.Err)
			e := evidence(t, r)
			require.Equal(t, [2]probe.Fact{c.null, c.guest}, [2]probe.Fact{e.NullSession, e.Guest})
			c.said.NegotiateStatus, c.said.Flags = "STATUS_SUCCESS", e.Anonymous.Flags
			require.Equal(t, &c.said, e.Anonymous)
			if c.said.ListStatus == "ERROR_SUCCESS" {
				require.Equal(t, []smb.Share{{"öffentlich", "disk", "für alle"}, {"IPC$", "ipc", ""}}, e.Shares)
			}
			if c.old && c.said.Status == "STATUS_SUCCESS" {
				require.Equal(t, []string{"Unix", "Samba 3.0.37", "WERK"}, []string{e.SMB1.NativeOS, e.SMB1.NativeLM, e.SMB1.Domain})
			}
		})
	}
}
