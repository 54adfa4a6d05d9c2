package probetest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A suite is one call of Conform.
type suite struct {
	p      probe.Prober
	limits probe.Limits
	giveUp time.Duration // how long behind its total time a run is given up
	trials []*trial

	mu    sync.Mutex
	found map[string][]string // faults by part
	names []string            // of parts, in order
	runs  []*run
	hung  int // runs that were given up
}

// A trial is a run that is judged. Many go on at the same time, since most of them wait.
type trial struct {
	part    string
	name    string // within its part
	target  probe.Target
	options probe.Options
	allowed []probe.Outcome
	lead    func() (lead probe.DialFunc, accepted func() int64, stop func(), err error)
	played  bool // by a Player, which doesn't take time
}

// A run is what is left to be judged when all is over.
type run struct {
	part, name string
	rig        *rig
}

const (
	atOnce = 16
	// slack is how much longer than its limits a run may take, on the best of some tries: machines are busy.
	slack = 250 * time.Millisecond
	tries = 3
	// forever is how long behind its total time a run is given up, and hungEnough how many such runs tell all.
	forever    = 5 * time.Second
	hungEnough = 3
	// faultsShown keeps a broken prober's output readable: one fault shows in most trials.
	faultsShown = 10
)

// documentation is the target of all trials (RFC 5737 §3); a rig leads it to loopback.
var documentation = netip.AddrFrom4([4]byte{192, 0, 2, 7})

func (m mode) target() probe.Target {
	return probe.Target{Network: m.network, Addr: netip.AddrPortFrom(documentation, m.port)}
}

// tell notes faults of a part, which is listed also where it has none.
func (s *suite) tell(part string, faults ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.names, part) {
		s.names = append(s.names, part)
	}
	for _, f := range faults {
		if !slices.Contains(s.found[part], f) {
			s.found[part] = append(s.found[part], f)
		}
	}
}

func (s *suite) parts() (list []part) {
	for _, name := range s.names {
		faults := s.found[name]
		if n := len(faults); n > faultsShown {
			faults = append(slices.Clip(faults[:faultsShown]), fmt.Sprintf("and %d more", n-faultsShown))
		}
		list = append(list, part{name, faults})
	}
	return list
}

func (s *suite) add(t *trial) {
	s.tell(t.part)
	s.trials = append(s.trials, t)
}

var levels = []probe.Level{probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous}

// hostile adds the trials of one server.
func (s *suite) hostile(m mode, server Server) {
	trial := func(server Server, l probe.Level, allowed []probe.Outcome) {
		s.add(&trial{
			part: "hostile " + m.String(), name: server.Name + ", level " + l.String(), target: m.target(),
			options: probe.Options{Level: l, Limits: s.limits}, allowed: allowed, lead: leadToServer(server),
		})
	}
	if !m.implicit {
		for _, l := range levels {
			trial(server, l, server.Outcomes)
		}
		return
	}
	trial(server, probe.LevelHandshake, foreign) // it doesn't speak TLS
	trial(behindTLS(server), probe.LevelHandshake, server.Outcomes)
}

func leadToServer(server Server) func() (probe.DialFunc, func() int64, func(), error) {
	return func() (probe.DialFunc, func() int64, func(), error) {
		l, err := listen(server)
		if err != nil {
			return nil, nil, nil, err
		}
		return leadTo(l.addr), l.accepted.Load, l.close, nil
	}
}

// dials adds the trials in which no connection comes about.
func (s *suite) dials(m mode) {
	free := func() (netip.AddrPort, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return netip.AddrPort{}, err
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).AddrPort(), nil
	}
	for name, c := range map[string]struct {
		dial    probe.DialFunc
		outcome probe.Outcome
	}{
		"refused": {func(ctx context.Context, network, address string) (net.Conn, error) {
			addr, err := free()
			if err != nil {
				return nil, err
			}
			return leadTo(addr)(ctx, network, address)
		}, probe.OutcomeRefused},
		"unreachable": {func(context.Context, string, string) (net.Conn, error) {
			return nil, dialError("tcp", probe.OutcomeUnreachable)
		}, probe.OutcomeUnreachable},
		"no answer": {func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, probe.OutcomeTimeout},
	} {
		for _, l := range levels {
			s.add(&trial{
				part: "dialling " + m.String(), name: name + ", level " + l.String(), target: m.target(),
				options: probe.Options{Level: l, Limits: s.limits}, allowed: []probe.Outcome{c.outcome},
				lead: func() (probe.DialFunc, func() int64, func(), error) {
					return c.dial, func() int64 { return 0 }, func() {}, nil
				},
			})
		}
	}
}

// run holds all trials.
func (s *suite) run() {
	queue := make(chan *trial)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for t := range queue {
				if !s.stuck() {
					s.hold(t)
				}
			}
		})
	}
	for _, t := range s.trials {
		queue <- t
	}
	close(queue)
	workers.Wait()
}

// stuck reports whether the prober hung so often that more trials would only take time.
func (s *suite) stuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hung >= hungEnough
}

func (s *suite) hold(t *trial) {
	fault := func(format string, args ...any) {
		s.tell(t.part, t.name+": "+fmt.Sprintf(format, args...))
	}
	var took time.Duration
	for try := range tries {
		lead, accepted, stop, err := t.lead()
		if err != nil {
			fault("the suite can't listen: %v", err)
			return
		}
		g := &rig{target: t.target, lead: lead, replayed: t.played}
		start := time.Now()
		result, stack := s.start(context.Background(), g, t.part, t.name, t.options)
		took = time.Since(start)
		if result == nil {
			stop()
			fault("Probe hasn't returned %v behind its total time of %v: return when a method of the session fails\n%s", s.giveUp, s.limits.Total, stack)
			return
		}
		inTime := took <= s.limits.Total+slack
		if inTime || try == tries-1 {
			for _, f := range g.inspect(s.p, result, s.limits, t.allowed) {
				fault("%s", f)
			}
			if dialed, _, _ := g.counts(); accepted != nil && accepted() > int64(dialed) {
				fault("the server saw %d connections and the session made %d: connect with Session.Open only", accepted(), dialed)
			}
		}
		stop()
		if inTime {
			return
		}
	}
	fault("took %v, the total time is %v: return when a method of the session fails, and wait for nothing else", took.Round(time.Millisecond), s.limits.Total)
}

// start runs the prober once. It returns no result but the run's stacks where the prober doesn't come back.
func (s *suite) start(ctx context.Context, g *rig, part, name string, o probe.Options) (*probe.Result, string) {
	s.mu.Lock()
	id := strconv.Itoa(len(s.runs))
	s.runs = append(s.runs, &run{part, name, g})
	s.mu.Unlock()
	o.Dial = g.Dial
	total := o.Limits.Effective().Total
	done := make(chan *probe.Result, 1)
	labelled(id, func() { done <- probe.Run(ctx, s.p, g.target, &o) })
	giveUp := time.NewTimer(total + s.giveUp)
	defer giveUp.Stop()
	select {
	case r := <-done:
		return r, ""
	case <-giveUp.C:
		s.mu.Lock()
		s.hung++
		s.mu.Unlock()
		return nil, stacksOf()[id]
	}
}

// leftovers looks for what runs left behind, a while after they ended.
func (s *suite) leftovers() {
	const patience = 2 * time.Second
	for id, stack := range settle(patience) {
		if i, err := strconv.Atoi(id); err == nil && i < len(s.runs) {
			s.tell("leftovers", fmt.Sprintf("%s, %s: goroutines outlive Probe: wait for those that you start\n%s", s.runs[i].part, s.runs[i].name, stack))
		}
	}
	s.tell("leftovers")
	for _, r := range s.runs {
		if _, open, _ := r.rig.counts(); open > 0 {
			s.tell("leftovers", fmt.Sprintf("%s, %s: %d connections were left open", r.part, r.name, open))
		}
	}
}
