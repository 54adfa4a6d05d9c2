package replay

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// tell parses the events of a conversation.
func tell(t *testing.T, events ...string) *Recording {
	t.Helper()
	rec, err := Parse([]byte("# target: 192.0.2.7:7007\n" + strings.Join(events, "\n")))
	require.NoError(t, err)
	return rec
}

// probing is a prober made of a function, which may send anything.
type probing func(ctx context.Context, s *probe.Session) (probe.Evidence, error)

type evidence struct {
	Reads  []string
	Random string
	TLS    *probe.TLS
	Strays int
}

func (*evidence) Protocol() string { return "sample" }

func (probing) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "sample",
		Ports:    []probe.Port{{Network: probe.TCP, Number: 7007}},
		Guard: func(probe.Contact) probe.Guard {
			return func(probe.Level, []byte) (string, error) { return "any", nil }
		},
	}
}

func (p probing) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	return p(ctx, s)
}

// conversation is a prober of steps; "> x" sends, "< 3" reads so many bytes, "open" and "open 4001" connect, "tls"
// shakes hands, "rand 2" draws, "2" changes to the second connection. It stops at the first error.
func conversation(steps ...string) probing {
	return func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
		e := new(evidence)
		var all []*probe.Conn
		var c *probe.Conn
		for _, step := range steps {
			verb, arg, _ := strings.Cut(step, " ")
			var err error
			switch verb {
			case "open":
				if arg == "" {
					c, err = s.Open(ctx)
				} else {
					c, err = s.OpenPort(ctx, netip.MustParseAddrPort("0.0.0.0:"+arg).Port())
				}
				all = append(all, c)
			case ">":
				err = c.Send([]byte(arg))
			case "<":
				b := make([]byte, len(arg))
				var n int
				n, err = c.ReadFull(b)
				e.Reads = append(e.Reads, string(b[:n]))
			case "tls":
				e.TLS, err = c.StartTLS(ctx)
			case "rand":
				b := make([]byte, len(arg))
				_, err = io.ReadFull(s.Rand(), b)
				e.Random += string(b)
			default:
				c = all[verb[0]-'1']
			}
			if err != nil {
				return e, err
			}
		}
		return e, nil
	}
}

func TestPlayerIsStrict(t *testing.T) {
	t.Parallel()
	const open, a, b = "1 open 192.0.2.7:7007", `1 > "a"`, `1 < "b"`
	for name, c := range map[string]struct {
		events, steps []string
		want          string // a part of Err; empty if all is well
	}{
		"all happens":          {[]string{open, a, b, "1 end closed"}, []string{"open", "> a", "< bb"}, ""},
		"another send":         {[]string{open, a, b}, []string{"open", "> x"}, `line 3: connection 1 sends "x", but "a" was recorded`},
		"a longer send":        {[]string{open, a, b}, []string{"open", "> ab"}, `sends "ab", but "a" was recorded`},
		"no send":              {[]string{open, a, b}, []string{"open", "< b"}, `line 3: connection 1 is read, but what came next was sending "a"`},
		"send before reading":  {[]string{open, b, a}, []string{"open", "> a"}, `line 3: connection 1 sends "a", but what came next was reading "b"`},
		"one send too many":    {[]string{open, a}, []string{"open", "> a", "> a"}, `connection 1 sends "a", but nothing more was recorded`},
		"reading on":           {[]string{open, b}, []string{"open", "< bb"}, `connection 1 is read on, but nothing more was recorded`},
		"left over":            {[]string{open, a, b}, []string{"open", "> a"}, `line 4: didn't happen: reading "b" on connection 1`},
		"never opened":         {[]string{open, b}, nil, `line 2: didn't happen: connection 1 to 192.0.2.7:7007`},
		"another connection":   {[]string{open}, []string{"open", "open"}, `connection 2 to 192.0.2.7:7007: none was recorded`},
		"another port":         {[]string{open, "2 open 192.0.2.7:4001"}, []string{"open", "open 4002"}, `line 3: connection 2 went to 192.0.2.7:4001, not to 192.0.2.7:4002`},
		"a rest may be unread": {[]string{open, `1 < "bcd"`}, []string{"open", "< b"}, ""},
		"no TLS":               {[]string{open, b}, []string{"open", "tls"}, `starts TLS, but what came next was reading "b"`},
		"TLS forgotten":        {[]string{open, "1 tls {}", a}, []string{"open", "> a"}, `sends "a", but what came next was a TLS handshake`},
		"TLS at the end":       {[]string{open}, []string{"open", "tls"}, `starts TLS, but nothing more was recorded`},
		"too much randomness":  {[]string{open, `0 rand "ab"`}, []string{"open", "rand abc"}, `1 random bytes: none were recorded any more`},
		"too little of it":     {[]string{open, `0 rand "ab"`}, []string{"open", "rand a"}, `line 3: didn't happen: drawing 2 random bytes`},
		"the end is unread":    {[]string{open, b, "1 end closed"}, []string{"open", "< b"}, `line 4: didn't happen: reading the end (closed)`},
		"a limit is its own":   {[]string{open, b, "1 end limit"}, []string{"open", "< b"}, ""},
		"data before its command": {
			[]string{open, "2 open 192.0.2.7:4001", a, `2 < "x"`},
			[]string{"open", "open 4001", "< x"}, `line 4: connection 2 is read before sending "a" on connection 1`,
		},
		"data behind its command": {
			[]string{open, "2 open 192.0.2.7:4001", a, `2 < "x"`},
			[]string{"open", "open 4001", "1", "> a", "2", "< x"}, "",
		},
		"side by side, the other first": {
			[]string{open, "2 open 192.0.2.7:7007", a, `2 > "c"`, b, `2 < "d"`},
			[]string{"open", "> c", "open", "> a", "< b", "1", "< d"}, "",
		},
		"one after the other, the other first": {
			[]string{open, a, b, "2 open 192.0.2.7:7007", `2 > "c"`},
			[]string{"open", "> c"}, `sends "c", but "a" was recorded`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := tell(t, c.events...)
			player := rec.Player()
			r := probe.Run(t.Context(), conversation(c.steps...), rec.Target, rec.options(player))
			if c.want == "" {
				require.NoError(t, player.Err(), "%v", r.Err)
				return
			}
			require.ErrorContains(t, player.Err(), c.want)
		})
	}
}

// Libraries read on in one goroutine while another is about to send, and until it closes.
func TestPlayerLetsReadersWait(t *testing.T) {
	t.Parallel()
	player := tell(t, "1 open 192.0.2.7:7007", `1 > "a"`, `1 < "b"`).Player()
	c, err := player.Dial(t.Context(), "tcp", "192.0.2.7:7007")
	require.NoError(t, err)
	read := make(chan string)
	go func() {
		defer close(read)
		for b := make([]byte, 4); ; {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			read <- string(b[:n])
		}
	}()
	_, err = c.Write([]byte("a"))
	require.NoError(t, err)
	require.Equal(t, "b", <-read)
	require.NoError(t, c.Close())
	require.Empty(t, <-read)
	require.NoError(t, player.Err())
}

// A session reads and writes in one goroutine: what it waits for before its turn would never come.
func TestPlayerLetsNobodyWaitInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := tell(t, "1 open 192.0.2.7:7007", `1 > "a"`, `1 < "b"`)
		player := rec.Player()
		start := time.Now()
		r := probe.Run(t.Context(), conversation("open", "< b"), rec.Target, rec.options(player))
		require.Equal(t, probe.OutcomeInternal, r.Outcome)
		require.ErrorContains(t, player.Err(), "connection 1 is read, but what came next was sending \"a\"")
		require.Zero(t, time.Since(start))
	})
}

func TestPlayerPlaysFailures(t *testing.T) {
	t.Parallel()
	const open = "1 open 192.0.2.7:7007"
	for name, c := range map[string]struct {
		events, steps []string
		op            string
		outcome       probe.Outcome
	}{
		"refused":          {[]string{open + " refused"}, []string{"open"}, "dial", probe.OutcomeRefused},
		"unreachable":      {[]string{open + " unreachable"}, []string{"open"}, "dial", probe.OutcomeUnreachable},
		"dial timeout":     {[]string{open + " timeout"}, []string{"open"}, "dial", probe.OutcomeTimeout},
		"dial closed":      {[]string{open + " closed"}, []string{"open"}, "dial", probe.OutcomeClosed},
		"closed":           {[]string{open, "1 end closed"}, []string{"open", "< x"}, "read", probe.OutcomeClosed},
		"silent":           {[]string{open, "1 end timeout"}, []string{"open", "< x"}, "read", probe.OutcomeTimeout},
		"limit":            {[]string{open, "1 end limit"}, []string{"open", "< x"}, "read", probe.OutcomeLimit},
		"canceled":         {[]string{open, "1 end canceled"}, []string{"open", "< x"}, "read", probe.OutcomeCanceled},
		"closed on send":   {[]string{open, `1 > "a"`, "1 end closed send"}, []string{"open", "> a"}, "send", probe.OutcomeClosed},
		"no TLS":           {[]string{open, `1 tls tls {"error":"tls: no"}`}, []string{"open", "tls"}, "tls", probe.OutcomeTLS},
		"silent in TLS":    {[]string{open, "1 tls timeout {}"}, []string{"open", "tls"}, "tls", probe.OutcomeTimeout},
		"after another":    {[]string{open, `1 < "a"`, "1 end timeout"}, []string{"open", "< ab"}, "read", probe.OutcomeTimeout},
		"second is closed": {[]string{open, "2 open 192.0.2.7:4001 refused"}, []string{"open", "open 4001"}, "dial", probe.OutcomeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := tell(t, c.events...)
			player := rec.Player()
			start := time.Now()
			r := probe.Run(t.Context(), conversation(c.steps...), rec.Target, rec.options(player))
			require.NoError(t, player.Err())
			require.Less(t, time.Since(start), 5*time.Second, "a replay doesn't wait")
			var e *probe.Error
			require.ErrorAs(t, r.Err, &e)
			require.Equal(t, c.op, e.Op)
			require.Equal(t, c.outcome, r.Outcome)
		})
	}
}

// Each datagram of a recorded exchange comes alone, a stray one too.
func TestReplayOfDatagrams(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		b := make([]byte, 100)
		for {
			_, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			for _, reply := range []string{"stray", "answer"} {
				_, _ = server.WriteTo([]byte(reply), from)
			}
		}
	}()
	p := probing(func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
		c, err := s.Open(ctx)
		if err != nil {
			return new(evidence), err
		}
		reply, strays, err := c.Exchange([]byte("ask"), func(b []byte) bool { return string(b) == "answer" })
		return &evidence{Reads: []string{string(reply)}, Strays: strays}, err
	})
	target := probe.Target{Network: probe.UDP, Addr: server.LocalAddr().(*net.UDPAddr).AddrPort()}
	live := probe.Run(t.Context(), p, target, nil)
	require.NoError(t, live.Err)

	rec, err := Parse(Record(live, "", "now").Format())
	require.NoError(t, err)
	player := rec.Player()
	again := probe.Run(t.Context(), p, rec.Target, rec.options(player))
	require.NoError(t, again.Err)
	require.NoError(t, player.Err())
	require.Equal(t, &evidence{Reads: []string{"answer"}, Strays: 1}, again.Evidence)
}

// A result's transcript, replayed, gives the result again.
func TestDial(t *testing.T) {
	tr := probe.Transcript{
		{Conn: 1, Dir: probe.DirOpen, Data: []byte("192.0.2.7:7007")},
		{Conn: 1, Dir: probe.DirSend, Data: []byte("a"), Label: "any"},
		{Conn: 1, Dir: probe.DirRecv, Data: []byte("b")},
		{Conn: 1, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed},
	}
	p := probing(func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
		c, err := s.Open(ctx)
		if err != nil {
			return new(evidence), err
		}
		if err := c.Send([]byte("a")); err != nil {
			return new(evidence), err
		}
		line, err := c.ReadLine()
		return &evidence{Reads: []string{string(line)}}, err
	})
	target, err := probe.ParseTarget("198.51.100.1:7007") // the port counts
	require.NoError(t, err)
	r := probe.Run(t.Context(), p, target, &probe.Options{Dial: Dial(tr)})
	require.Equal(t, probe.OutcomeClosed, r.Outcome)
	require.Equal(t, &evidence{Reads: []string{"b"}}, r.Evidence)
	again := probe.Run(t.Context(), p, target, &probe.Options{Dial: Dial(r.Transcript)})
	require.Equal(t, r.Evidence, again.Evidence)
	require.Equal(t, r.Err, again.Err)
	require.Len(t, again.Transcript, len(tr))
}
