package rsync_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/selfsigned"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
)

// A server is a small daemon on loopback.
type server struct {
	greeting string // "@RSYNCD: 31.0" if it is empty
	motd     string
	modules  []string          // names, all of them open
	turns    string            // the answer to every request, if it isn't empty
	answers  map[string]string // replaces its answers to a module's name, or to "" for the list
	busyFor  time.Duration     // an open module makes all busy for so long after it was left
	config   *tls.Config       // for implicit TLS

	asked atomic.Int32 // connections
	until atomic.Int64 // when nothing is busy any more, in nanoseconds
}

// hangUp is an answer that isn't one.
const hangUp = "\x00"

// start returns the daemon's address. It ends with the test.
func (s *server) start(t *testing.T) probe.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				if s.config != nil {
					c = tls.Server(c, s.config)
				}
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return probe.Target{Addr: netip.MustParseAddrPort(l.Addr().String()), Name: "files.example.org"}
}

func (s *server) serve(c net.Conn) {
	s.asked.Add(1)
	greeting := s.greeting
	if greeting == "" {
		greeting = "@RSYNCD: 31.0"
	}
	fmt.Fprintf(c, "%s\n%s", greeting, s.motd)
	in := bufio.NewScanner(c)
	in.Scan() // the answer to the greeting
	if !in.Scan() {
		return
	}
	name := in.Text()
	if s.turns != "" {
		fmt.Fprint(c, s.turns)
		return
	}
	if answer, ok := s.answers[name]; ok {
		if answer == hangUp {
			return
		}
		fmt.Fprint(c, answer)
		if answer == "" {
			in.Scan() // silence, until the client leaves
		}
		return
	}
	switch {
	case name == "":
		for _, m := range s.modules {
			fmt.Fprintf(c, "%-15s\tabout %s\n", m, m)
		}
		fmt.Fprint(c, "@RSYNCD: EXIT\n")
	case !strings.Contains(" "+strings.Join(s.modules, " ")+" ", " "+name+" "):
		fmt.Fprintf(c, "@ERROR: Unknown module '%s'\n", name)
	case time.Now().UnixNano() < s.until.Load():
		fmt.Fprint(c, "@ERROR: max connections (1) reached -- try again later\n")
	case s.busyFor == 0:
		fmt.Fprint(c, "@RSYNCD: OK\n")
	default:
		s.until.Store(time.Now().Add(time.Hour).UnixNano())
		fmt.Fprint(c, "@RSYNCD: OK\n")
		in.Scan()
		s.until.Store(time.Now().Add(s.busyFor).UnixNano())
	}
}

func names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("module%d", i))
	}
	return list
}

func run(t *testing.T, p rsync.Prober, target probe.Target, o *probe.Options) (*probe.Result, *rsync.Evidence) {
	t.Helper()
	r := probe.Run(t.Context(), p, target, o)
	return r, evidence(t, r)
}

func anonymous(l probe.Limits) *probe.Options {
	return &probe.Options{Level: probe.LevelAnonymous, Limits: l}
}

func count(e *rsync.Evidence, a rsync.Access) (n int) {
	for _, m := range e.Modules {
		if m.Access == a {
			n++
		}
	}
	return n
}

// The number of modules asked is bounded by the knob and by the connections there may be, and said.
func TestMaxModules(t *testing.T) {
	for _, test := range []struct {
		p     rsync.Prober
		conns int
		asked int
	}{
		{rsync.Prober{}, 0, 10},
		{rsync.Prober{MaxModules: 3}, 0, 3},
		{rsync.Prober{MaxModules: 100}, 0, 14},
		{rsync.Prober{MaxModules: 100}, 256, 30},
		{rsync.Prober{}, 5, 3},
		{rsync.Prober{}, 2, 0},
	} {
		s := &server{modules: names(30)}
		r, e := run(t, test.p, s.start(t), anonymous(probe.Limits{Conns: test.conns}))
		require.NoError(t, r.Err)
		require.Len(t, e.Modules, 30)
		require.Equal(t, 30-test.asked, e.ModulesUnasked)
		require.Equal(t, test.asked, count(e, rsync.AccessOpen)+count(e, rsync.AccessBusy))
	}
}

// Modules that share a count of connections are found open all the same, and one wait tells that they share it.
func TestSharedCount(t *testing.T) {
	s := &server{modules: names(4), busyFor: 20 * time.Millisecond}
	r, e := run(t, rsync.Prober{BusyWait: 100 * time.Millisecond}, s.start(t), anonymous(probe.Limits{}))
	require.NoError(t, r.Err)
	require.Equal(t, 4, count(e, rsync.AccessOpen))
	require.EqualValues(t, 2+4+1, s.asked.Load())
}

// A module that is busy without our doing is believed at once, and so is any if the caller doesn't want to wait.
func TestBusy(t *testing.T) {
	const busy = "@ERROR: max connections (1) reached -- try again later\n"
	for _, test := range []struct {
		p     rsync.Prober
		names []string
		conns int32
	}{
		{rsync.Prober{BusyWait: time.Nanosecond}, []string{"busy", "open"}, 4},
		{rsync.Prober{BusyWait: time.Nanosecond}, []string{"open", "busy"}, 5},
		{rsync.Prober{BusyWait: -1}, []string{"open", "busy"}, 4},
	} {
		s := &server{modules: test.names, answers: map[string]string{"busy": busy}}
		r, e := run(t, test.p, s.start(t), anonymous(probe.Limits{}))
		require.Equal(t, probe.OutcomeBusy, r.Outcome)
		require.Equal(t, []string{fmt.Sprintf("/evidence/modules/%d/access", slices.Index(test.names, "busy"))}, r.Partial)
		require.Equal(t, 1, count(e, rsync.AccessBusy))
		require.Equal(t, 1, count(e, rsync.AccessOpen))
		require.Equal(t, test.conns, s.asked.Load())
	}
}

// A daemon that turns everybody away for the moment, or this client, gives no list: neither an empty one nor none to give.
func TestTurnedAway(t *testing.T) {
	for said, want := range map[string]probe.Outcome{
		"@ERROR: max connections (2) reached -- try again later\n":  probe.OutcomeBusy,
		"@ERROR: access denied to  from host.example (192.0.2.9)\n": probe.OutcomeDenied,
	} {
		for _, s := range []*server{
			{greeting: strings.TrimSpace(said)}, {answers: map[string]string{"": said}},
			{turns: said}, // each request
		} {
			r, e := run(t, plain, s.start(t), anonymous(probe.Limits{}))
			require.Equal(t, want, r.Outcome)
			require.NotEmpty(t, r.Partial)
			require.Equal(t, strings.TrimSpace(said), e.Error)
			require.Equal(t, probe.Unknown, e.Listing)
			require.Nil(t, e.Modules)
			found := finding.Evaluate(r, rsync.Rules)
			require.NotEmpty(t, found)
			for _, f := range found {
				require.NotContains(t, []string{"rsync.module-list", "rsync.module-open"}, f.ID)
			}
			require.Contains(t, fmt.Sprint(found), "rsync.exposed")
		}
	}
}

// Modules whose connections are lost are named, and the others keep what was learned.
func TestLostModules(t *testing.T) {
	s := &server{modules: names(3), answers: map[string]string{"module1": hangUp}}
	r, e := run(t, plain, s.start(t), anonymous(probe.Limits{}))
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
	require.Equal(t, []string{"/evidence/modules/1/access"}, r.Partial)
	require.Equal(t, 2, count(e, rsync.AccessOpen))

	s = &server{modules: names(3), answers: map[string]string{"module1": ""}}
	r, e = run(t, plain, s.start(t), anonymous(probe.Limits{Idle: 30 * time.Millisecond}))
	require.Equal(t, probe.OutcomeTimeout, r.Outcome)
	require.Equal(t, []string{"/evidence/modules/1/access", "/evidence/modules/2/access"}, r.Partial)
	require.Equal(t, 1, count(e, rsync.AccessOpen))
}

// Who asks says so in the name of the module that doesn't exist.
func TestContact(t *testing.T) {
	s := &server{modules: names(1)}
	r, e := run(t, plain, s.start(t), &probe.Options{Contact: probe.Contact{Host: "scan.example.org"}})
	require.NoError(t, r.Err)
	require.Regexp(t, `^@ERROR: Unknown module 'scan\.example\.org\.[a-z]{16}'$`, e.AbsentReply)
}

// The wait ends with the probe.
func TestCanceledWhileWaiting(t *testing.T) {
	s := &server{modules: names(2), busyFor: time.Hour}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	r := probe.Run(ctx, rsync.Prober{BusyWait: time.Hour}, s.start(t), anonymous(probe.Limits{}))
	require.Less(t, time.Since(start), 5*time.Second)
	require.Equal(t, probe.OutcomeTimeout, r.Outcome)
	require.Equal(t, rsync.AccessBusy, evidence(t, r).Modules[1].Access)
}

// A long list is cut at the limit of lines; a message of the day that reaches it can't be told from what follows.
func TestLongLists(t *testing.T) {
	limits := probe.Limits{ReplyLines: 8}
	r, e := run(t, rsync.Prober{}, (&server{modules: names(9), motd: "one\ntwo\n\n"}).start(t), &probe.Options{Limits: limits})
	require.NoError(t, r.Err)
	require.True(t, e.ModulesTruncated)
	require.Equal(t, probe.Yes, e.Listing)
	require.Len(t, e.Modules, 8)

	r, e = run(t, rsync.Prober{Modules: []string{"module8"}}, (&server{modules: names(9)}).start(t), anonymous(limits))
	require.NoError(t, r.Err)
	require.Equal(t, probe.Unknown, e.Modules[8].Listed, "it may be in the rest")
	require.Equal(t, rsync.AccessOpen, e.Modules[8].Access, "what the caller names comes first")

	r, e = run(t, rsync.Prober{}, (&server{modules: names(8)}).start(t), &probe.Options{Limits: limits})
	require.NoError(t, r.Err)
	require.False(t, e.ModulesTruncated)
	require.Len(t, e.Modules, 8)

	r, e = run(t, rsync.Prober{}, (&server{motd: strings.Repeat("hello\n", 9)}).start(t), &probe.Options{Limits: limits})
	require.Equal(t, probe.OutcomeLimit, r.Outcome)
	require.Equal(t, 31, e.ProtocolVersion)
	require.Empty(t, e.MOTD)
}

// A session that is handed over may have used connections before.
func TestHandedOver(t *testing.T) {
	s := &server{modules: names(5)}
	for _, conns := range []int{4, 5, 6} {
		r, e := run(t, rsync.Prober{}, s.start(t), anonymous(probe.Limits{Conns: conns}))
		require.NoError(t, r.Err)
		require.Equal(t, conns-2, count(e, rsync.AccessOpen))

		r = probe.Run(t.Context(), after{2}, s.start(t), anonymous(probe.Limits{Conns: conns + 2}))
		require.NoError(t, r.Err)
		e = evidence(t, r)
		require.Equal(t, conns-2, count(e, rsync.AccessOpen))
		require.Equal(t, 7-conns, e.ModulesUnasked)
	}
}

// after is a prober that hands over when it has opened some connections.
type after struct{ conns int }

func (after) Spec() probe.Spec { return probe.Spec{Protocol: "unknown"} }

func (a after) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	for range a.conns {
		c, err := s.Open(ctx)
		if err != nil {
			return nil, err
		}
		_ = c.Close()
	}
	return s.HandOver(ctx, rsync.Prober{}, probe.Handed{})
}

// Names that no module can have are the caller's mistake; nothing is sent then.
func TestImpossibleNames(t *testing.T) {
	for _, name := range []string{"", "#list", "#early_input=5", "two\nlines", "@RSYNCD: 31.0", "nul\x00", strings.Repeat("x", 191)} {
		s := &server{}
		r, _ := run(t, rsync.Prober{Modules: []string{"pub", name}}, s.start(t), anonymous(probe.Limits{}))
		require.Equal(t, probe.OutcomeForbidden, r.Outcome)
		require.ErrorContains(t, r.Err, "no module can have the name")
		require.Zero(t, s.asked.Load())
	}
}

func TestImplicitTLS(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{selfsigned.Certificate("files.example.org")}, MinVersion: tls.VersionTLS12}
	s := &server{config: config, modules: names(3)}
	o := anonymous(probe.Limits{})
	o.ImplicitTLS, o.TLS = probe.Yes, probe.TLSModeVersions
	r, e := run(t, rsync.Prober{}, s.start(t), o)
	require.NoError(t, r.Err)
	require.Equal(t, probe.Yes, e.ImplicitTLS)
	require.Equal(t, "implicit", e.TLS.Mode)
	require.Equal(t, probe.Yes, e.TLS.NameMatches)
	require.Equal(t, []string{"1.2", "1.3"}, e.TLS.Versions)
	require.Len(t, e.Modules, 3)
}

// The clock of a daemon that stops talking runs in each phase; what was learned stays.
func TestSilence(t *testing.T) {
	limits := probe.Limits{Idle: 30 * time.Millisecond}
	r, e := run(t, rsync.Prober{}, (&server{answers: map[string]string{"": ""}, motd: "hello\n\n"}).start(t), &probe.Options{Limits: limits})
	require.Equal(t, probe.OutcomeTimeout, r.Outcome)
	require.Equal(t, "hello", e.MOTD)
	require.Equal(t, probe.Unknown, e.Listing)

	s := &server{modules: names(2), answers: map[string]string{"module1": ""}}
	r, e = run(t, rsync.Prober{}, s.start(t), anonymous(limits))
	require.Equal(t, probe.OutcomeTimeout, r.Outcome)
	require.Equal(t, rsync.AccessOpen, e.Modules[0].Access)
	require.Empty(t, e.Modules[1].Access)
}
