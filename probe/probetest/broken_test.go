package probetest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// broken is the sample prober with something wrong: in its Spec, or around its Probe.
type broken struct {
	spec  func(s *probe.Spec)
	probe func(ctx context.Context, s *probe.Session) (probe.Evidence, error)
}

func (b broken) Spec() probe.Spec {
	s := sample{}.Spec()
	s.Ports = s.Ports[:1] // one way is enough, and quick
	if b.spec != nil {
		b.spec(&s)
	}
	return s
}

func (b broken) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	if b.probe != nil {
		return b.probe(ctx, s)
	}
	return sample{}.Probe(ctx, s)
}

// otherEvidence is evidence with faults of its own.
type otherEvidence struct {
	Hidden string         `json:"-"`
	List   []string       `json:"list"`
	Map    map[string]int `json:"map"`
	Nested []struct {
		Deep []int `json:"deep"`
	} `json:"nested"`
	Text string `json:"text"`
}

func (*otherEvidence) Protocol() string { return "sample" }

func other(s *probe.Spec) {
	s.Evidence = func() probe.Evidence { return new(otherEvidence) }
}

// fewServers are enough to show what is wrong with a prober, and quick.
func fewServers() (list []Server) {
	for _, s := range append(Hostile(), Affirmative("HI there\r\n", "OK\r\n")...) {
		switch s.Name {
		case "silence", "close at once", "HTTP", "lengths of FF", "agrees with OK, then garbage":
			list = append(list, s)
		}
	}
	return list
}

// TestConformFails breaks a prober in every way that the suite is there for.
func TestConformFails(t *testing.T) {
	end := make(chan struct{}) // of the test, for what is left hanging; TestMain sees that it ends
	t.Cleanup(func() { close(end) })
	first := func(e probe.Evidence, err error) *sampleEvidence { return e.(*sampleEvidence) }
	var calls atomic.Int64
	shared := new(sampleEvidence)

	for name, c := range map[string]struct {
		prober broken
		want   string // a part of a fault
	}{
		"a goroutine is left": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			go func() { <-end }()
			return sample{}.Probe(ctx, s)
		}}, "goroutines outlive Probe: wait for those that you start\ngoroutine:\n"},
		"hangs": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			<-end
			return sample{}.Probe(ctx, s)
		}}, "Probe hasn't returned 500ms behind its total time of 400ms"},
		"takes its time": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			defer time.Sleep(700 * time.Millisecond)
			return sample{}.Probe(ctx, s)
		}}, "longer than its total time of 400ms: return when a method of the session fails"},
		"lingers when canceled": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if errors.Is(err, probe.OutcomeCanceled) {
				time.Sleep(100 * time.Millisecond)
			}
			return e, err
		}}, "after it was canceled, want 50ms"},
		"is well when canceled": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if errors.Is(err, probe.OutcomeCanceled) {
				err = nil
			}
			return e, err
		}}, "outcome ok (<nil>) of a run that was canceled"},
		"panics": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if errors.Is(err, probe.OutcomeNotProtocol) {
				panic("what is this?")
			}
			return e, err
		}}, "Probe panicked: what is this?\ngithub.com/handclasp"},
		"no evidence": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			s.Keep(nil)
			_, err := s.Open(ctx)
			return nil, err
		}}, "Probe returned no evidence (outcome refused"},
		"a nil pointer": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			_, err := s.Open(ctx)
			return (*sampleEvidence)(nil), err
		}}, "Probe returned no evidence (outcome refused"},
		"evidence that JSON loses": {broken{spec: other, probe: func(context.Context, *probe.Session) (probe.Evidence, error) {
			return &otherEvidence{Hidden: "x"}, nil
		}}, "the evidence isn't the same after JSON"},
		"bytes for text": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			first(e, err).Name = "\xff"
			return e, err
		}}, "the evidence isn't the same after JSON"},
		"JSON loses it without a Spec.Evidence": {broken{spec: func(s *probe.Spec) { s.Evidence = nil }, probe: func(context.Context, *probe.Session) (probe.Evidence, error) {
			return &otherEvidence{Hidden: "x"}, nil
		}}, "the evidence isn't the same after JSON"},
		"another protocol's evidence": {broken{spec: func(s *probe.Spec) { s.Protocol, s.Evidence = "simple", nil }}, `the evidence says protocol "sample", the Spec "simple"`},
		"all is well": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, _ := sample{}.Probe(ctx, s)
			return e, nil
		}}, "outcome ok (<nil>): want one of ["},
		"refused is closed": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if errors.Is(err, probe.OutcomeRefused) {
				err = &probe.Error{Op: "dial", Outcome: probe.OutcomeClosed}
			}
			return e, err
		}}, "refused, level greeting: outcome closed (dial: closed by the server): want one of [refused]"},
		"errors without an outcome": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if errors.Is(err, probe.OutcomeNotProtocol) {
				err = errors.New("no")
			}
			return e, err
		}}, "outcome internal (no): the prober failed"},
		"an outcome of its own": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if err != nil {
				err = &probe.Error{Outcome: "sad"}
			}
			return e, err
		}}, `outcome "sad" isn't one of the closed set`},
		"cancels itself": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if errors.Is(err, probe.OutcomeNotProtocol) {
				err = context.Canceled
			}
			return e, err
		}}, "outcome canceled (context canceled), but nobody canceled"},
		"sends what its guard refuses": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e := new(sampleEvidence)
			c, err := s.Open(ctx)
			if err != nil || s.Level() == probe.LevelGreeting {
				return e, err
			}
			return e, c.Send([]byte("DELE x\r\n"))
		}}, `the guard refuses what the prober sends (send: "DELE x" is not on the list)`},
		"a guard that lets two lines pass": {broken{spec: func(s *probe.Spec) {
			s.Guard = always(func(_ probe.Level, plain []byte) (string, error) {
				if len(plain) == 0 {
					return "", errors.New("nothing")
				}
				return "any", nil
			})
		}}, `\r\n" pass as "any": want exactly one whole line`},
		"a guard that lets nothing pass as something": {broken{spec: func(s *probe.Spec) {
			s.Guard = always(func(probe.Level, []byte) (string, error) { return "any", nil })
		}}, `the guard lets an empty message pass as "any"`},
		"a guard that panics": {broken{spec: func(s *probe.Spec) {
			s.Guard = always(func(_ probe.Level, plain []byte) (string, error) { return string(plain[:4]), errors.New("no") })
		}}, `the guard panicked on ""`},
		"a guard that remembers": {broken{spec: func(s *probe.Spec) {
			s.Guard = always(func(l probe.Level, plain []byte) (string, error) {
				label, err := sampleGuard(l, plain)
				if calls.Add(1)%2 == 0 {
					label += " again"
				}
				return label, err
			})
		}}, "the guard isn't pure"},
		"connects by itself": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			if a := s.Target().Addr; a.Addr().IsLoopback() {
				if c, err := net.Dial("tcp", a.String()); err == nil {
					_, _ = c.Read(make([]byte, 1)) // the server sees it
					_ = c.Close()
				}
			}
			return sample{}.Probe(ctx, s)
		}}, "the server saw 2 connections and the session made 1"},
		"trusts a length": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			if errors.Is(err, probe.OutcomeTimeout) {
				first(e, err).Names = make([]string, 0, 1<<20)
			}
			return e, err
		}}, "KiB were allocated for at most 64 KiB received"},
		"one struct for all": {broken{probe: func(context.Context, *probe.Session) (probe.Evidence, error) {
			return shared, nil
		}}, "two runs returned the same evidence struct"},
		"counts its calls": {broken{probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
			e, err := sample{}.Probe(ctx, s)
			first(e, err).Info = strings.Repeat("x", int(calls.Add(1)%100))
			return e, err
		}}, "runs at once gave different evidence: keep no state between calls"},
		"no name":         {broken{spec: func(s *probe.Spec) { s.Protocol = "" }}, `Spec.Protocol is ""`},
		"no port":         {broken{spec: func(s *probe.Spec) { s.Ports = nil }}, "Spec.Ports is empty"},
		"port 0":          {broken{spec: func(s *probe.Spec) { s.Ports[0].Number = 0 }}, "Spec.Ports has port 0"},
		"no network":      {broken{spec: func(s *probe.Spec) { s.Ports[0].Network = "ip" }}, `Spec.Ports has network "ip"`},
		"a port twice":    {broken{spec: func(s *probe.Spec) { s.Ports = append(s.Ports, s.Ports[0]) }}, "Spec.Ports lists tcp 7007 twice"},
		"DTLS":            {broken{spec: func(s *probe.Spec) { s.Ports[0].Network, s.Ports[0].ImplicitTLS = probe.UDP, true }}, "TLS over UDP"},
		"a changing Spec": {broken{spec: func(s *probe.Spec) { s.Ports[0].Number += uint16(calls.Add(1)) }}, "Spec returns something else each time"},
		"no empty evidence": {broken{spec: func(s *probe.Spec) {
			s.Evidence = func() probe.Evidence { return nil }
		}}, "Spec.Evidence returns nil"},
		"the same empty evidence": {broken{spec: func(s *probe.Spec) {
			s.Evidence = func() probe.Evidence { return shared }
		}}, "Spec.Evidence returns the same struct each time"},
		"a Spec that panics": {broken{spec: func(*probe.Spec) { panic("no") }}, "Spec panicked: no"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(c.want, "KiB") { // memory is that of the process
				t.Parallel()
			}
			plan := plan{servers: fewServers(), limits: suiteLimits, giveUp: 500 * time.Millisecond, strict: true}
			if strings.Contains(c.want, "runs at once") {
				plan.recordings = []recorded{{"sample", parseFile(t, "testdata/transcripts/sample-silent.txt")}}
			}
			var all []string
			for _, part := range plan.conform(c.prober) {
				all = append(all, part.faults...)
			}
			require.True(t, slices.ContainsFunc(all, func(f string) bool { return strings.Contains(f, c.want) }),
				"want a fault with %q, got:\n%s", c.want, strings.Join(all, "\n"))
		})
	}
}

// What a session doesn't let a prober do is tried on the rig itself.
func TestRigSees(t *testing.T) {
	addr := Listen(t, Server{Serve: hang})
	g := &rig{target: documentationTarget(), lead: leadTo(addr)}
	c, err := g.Dial(t.Context(), "tcp", "198.51.100.1:7007")
	require.NoError(t, err)
	_, err = c.Write([]byte("DELE x\r\n"))
	require.NoError(t, err)

	r := &probe.Result{Protocol: "sample", Outcome: probe.OutcomeOK, Evidence: new(sampleEvidence), Level: probe.LevelGreeting, Transcript: probe.Transcript{
		{Conn: 1, Dir: probe.DirOpen}, {Conn: 1, Dir: probe.DirSend, Data: []byte("INFO\r\n"), Label: "INFO"},
	}}
	g.conns[0].read = 1000
	faults := strings.Join(g.inspect(sample{}, r, probe.Options{Limits: probe.Limits{BytesIn: 999}}, nil), "\n")
	require.Contains(t, faults, "198.51.100.1:7007 was dialled, which isn't on the target's host 192.0.2.7")
	require.Contains(t, faults, `"DELE x\r\n" went over the wire, which no send of the transcript accounts for`)
	require.Contains(t, faults, `"INFO\r\n" was sent at level greeting`)
	require.Contains(t, faults, "1000 bytes were read, above the limit of 999")

	s := &suite{found: map[string][]string{}, runs: []*run{{"a part", "a run", g}}}
	s.leftovers()
	require.Contains(t, s.parts()[0].faults[0], "a part, a run: 1 connections were left open")
	require.NoError(t, c.Close())
	s = &suite{found: map[string][]string{}, runs: s.runs}
	s.leftovers()
	require.Empty(t, s.parts()[0].faults)
}

func documentationTarget() probe.Target {
	return mode{network: probe.TCP, port: 7007}.target()
}

// A prober of datagrams passes, one that takes any for an answer and trusts its length doesn't.
func TestConformOverUDP(t *testing.T) {
	ask := func(accept func([]byte) bool, take func(*sampleEvidence, []byte)) broken {
		return broken{
			spec: func(s *probe.Spec) {
				s.Ports = []probe.Port{{Network: probe.UDP, Number: 7007}}
				s.Guard = always(func(l probe.Level, plain []byte) (string, error) {
					if l < probe.LevelHandshake || !bytes.Equal(plain, []byte("\x01\x02?")) {
						return "", errors.New("no question")
					}
					return "QUESTION", nil
				})
			},
			probe: func(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
				e := new(sampleEvidence)
				if s.Level() == probe.LevelGreeting {
					return e, nil
				}
				c, err := s.Open(ctx)
				if err != nil {
					return e, err
				}
				defer c.Close()
				reply, _, err := c.Exchange([]byte("\x01\x02?"), accept)
				if err == nil {
					take(e, reply)
				}
				return e, err
			},
		}
	}
	faults := func(p probe.Prober) (all []string) {
		for _, part := range (plan{limits: suiteLimits, giveUp: forever}).conform(p) {
			all = append(all, part.faults...)
		}
		return all
	}
	numbered := func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x01\x02")) && !bytes.HasSuffix(b, []byte("?")) }
	require.Empty(t, faults(ask(numbered, func(e *sampleEvidence, b []byte) { e.Info, _ = probe.UTF8(b) })))
	any := func([]byte) bool { return true }
	all := strings.Join(faults(ask(any, func(e *sampleEvidence, b []byte) { e.Info = string(rune(b[20])) })), "\n")
	require.Contains(t, all, "Probe panicked: runtime error: index out of range [20]")
	all = strings.Join(faults(ask(any, func(*sampleEvidence, []byte) {})), "\n")
	require.Contains(t, all, "garbage, level handshake: outcome ok")
}
