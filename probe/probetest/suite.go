package probetest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A suite is one call of Conform.
type suite struct {
	plan
	p      probe.Prober
	label  string // of its goroutines
	trials []*trial
	again  []*trial // those to be held alone
	pulse  *pulse
	told   map[string]bool // beginnings of conversations that are told wrong already

	mu    sync.Mutex
	found map[string][]string // faults by part
	names []string            // of parts, in order
	runs  []*run
	hung  int // trials that took too long
}

// A trial is a run that is judged. Many go on at the same time, since most of them wait.
type trial struct {
	part    string
	name    string // within its part
	target  probe.Target
	options probe.Options
	allowed []probe.Outcome
	lead    setUp
	direct  bool // the target is the server's own address
	played  bool // by a Player, which doesn't take time
}

// A setUp makes the server of one run.
type setUp func() (*led, error)

// led is where a rig leads connections to.
type led struct {
	dial     probe.DialFunc
	addr     netip.AddrPort // of a server over TCP
	accepted func() int64   // connections that the server saw; nil if it doesn't count them
	stop     func()
}

// leadNowhere dials without a server.
func leadNowhere(dial probe.DialFunc) setUp {
	return func() (*led, error) { return &led{dial: dial, stop: func() {}}, nil }
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
	// forever is how long behind its total time a run is given up, and hungEnough how many trials that
	// took too long tell all.
	forever    = 30 * time.Second
	hungEnough = 2
	// faultsShown keeps a broken prober's output readable: one fault shows in most trials.
	faultsShown = 10
)

// documentation is the target of all trials (RFC 5737 §3); a rig leads it to loopback.
var documentation = netip.AddrFrom4([4]byte{192, 0, 2, 7})

func (m mode) target() probe.Target {
	return probe.Target{Network: m.network, Addr: netip.AddrPortFrom(documentation, m.port)}
}

// tell notes faults of a part, which is listed even if it has none.
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
		faults := slices.Sorted(slices.Values(s.found[name])) // the trials ran side by side
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
			options: probe.Options{Level: l, Limits: s.limits, TLS: s.tls}, allowed: allowed, lead: leadToServer(server),
		})
	}
	if !m.implicit {
		for _, l := range levels {
			trial(server, l, server.Outcomes)
		}
		return
	}
	// It doesn't speak TLS, and may say in cleartext that it turns clients away.
	trial(server, probe.LevelHandshake, append(slices.Clip(foreign), probe.OutcomeBusy, probe.OutcomeDenied))
	trial(behindTLS(server), probe.LevelHandshake, server.Outcomes)
}

// bypass adds a trial at the server's own address, where a prober that connects by itself would be seen.
func (s *suite) bypass(m mode) {
	s.add(&trial{
		part: "connections " + m.String(), name: "a server that counts", direct: true,
		options: probe.Options{Level: probe.LevelAnonymous, ImplicitTLS: probe.FactOf(m.implicit), Limits: s.limits},
		lead:    leadToServer(Server{Serve: affirm("220 hello\r\n", "250 ok\r\n", hangUp)}),
	})
}

func leadToServer(server Server) setUp {
	return func() (*led, error) {
		l, err := listen(server)
		if err != nil {
			return nil, err
		}
		return &led{dial: leadTo(l.addr), addr: l.addr, accepted: l.accepted.Load, stop: l.close}, nil
	}
}

// noAnswer dials for as long as it may.
func noAnswer(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
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
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.EHOSTUNREACH}
		}, probe.OutcomeUnreachable},
		"no answer": {noAnswer, probe.OutcomeTimeout},
	} {
		for _, l := range levels {
			s.add(&trial{
				part: "dialling " + m.String(), name: name + ", level " + l.String(), target: m.target(),
				options: probe.Options{Level: l, Limits: s.limits}, allowed: []probe.Outcome{c.outcome},
				lead: leadNowhere(c.dial),
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
	for _, t := range s.again {
		if !s.stuck() {
			s.holdAlone(t)
		}
	}
}

// stuck reports whether the prober hung so often that more trials would only take time.
func (s *suite) stuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hung >= hungEnough
}

// A verdict says whether a run was judged.
type verdict int

const (
	judged  verdict = iota
	late            // it took longer than its limits
	clocked         // the clock ended it
)

// hold holds a trial once, beside others. What may have taken too long because of them is held again alone.
func (s *suite) hold(t *trial) {
	if s.try(t, t.options, false) != judged {
		s.mu.Lock()
		s.again = append(s.again, t)
		s.mu.Unlock()
	}
}

// holdAlone holds a trial some times, until it ends in time; with more time for each wait, if the clock ended it.
func (s *suite) holdAlone(t *trial) {
	const more = 3
	options := t.options
	for try := range tries {
		switch s.try(t, options, try == tries-1) {
		case judged:
			return
		case clocked:
			options.Limits.Total *= more
			options.Limits.Dial *= more
			options.Limits.Idle *= more
		}
	}
}

// try judges one run; not, unless it is the last try, one that may have ended in another way on a machine that is less
// busy.
func (s *suite) try(t *trial, options probe.Options, last bool) verdict {
	fault := func(format string, args ...any) {
		s.tell(t.part, t.name+": "+fmt.Sprintf(format, args...))
	}
	to, err := t.lead()
	if err != nil {
		fault("the suite can't listen: %v", err)
		return judged
	}
	defer to.stop()
	g := &rig{target: t.target, lead: to.dial, replayed: t.played}
	if t.direct {
		g.target = probe.Target{Network: probe.TCP, Addr: to.addr}
	}
	start, stolen := time.Now(), s.pulse.note()
	result, stack := s.start(context.Background(), g, t.part, t.name, options)
	if result == nil {
		fault("Probe hasn't returned %v behind its total time of %v: return when a method of the session fails\n%s", s.giveUp, options.Limits.Total, stack)
		return judged
	}
	excess := time.Since(start) - options.Limits.Total
	isLate := excess > slack+s.pulse.allowance(stolen)
	switch {
	case last:
	case isLate:
		return late
	case t.clocked(result):
		return clocked
	}
	for _, f := range g.inspect(s.p, result, options, t.allowed) {
		fault("%s", f)
	}
	if dialed, _, _ := g.counts(); to.accepted != nil && to.accepted() > int64(dialed) {
		fault("the server saw %d connections and the session made %d: connect with Session.Open only", to.accepted(), dialed)
	}
	if isLate {
		s.mu.Lock()
		s.hung++
		s.mu.Unlock()
		fault("took %v longer than its total time of %v: return when a method of the session fails, and wait for nothing else", excess.Round(time.Millisecond), options.Limits.Total)
	}
	return judged
}

// clocked reports whether a run was ended by the clock that nothing but a busy machine can have let run out.
func (t *trial) clocked(r *probe.Result) bool {
	byClock := r.Outcome == probe.OutcomeTimeout || r.Outcome == probe.OutcomeLimit
	return byClock && len(t.allowed) > 0 && !slices.Contains(t.allowed, r.Outcome)
}

// start runs the prober once. It returns no result but the run's stacks if the prober doesn't come back.
func (s *suite) start(ctx context.Context, g *rig, part, name string, o probe.Options) (*probe.Result, string) {
	s.mu.Lock()
	id := strconv.Itoa(len(s.runs))
	s.runs = append(s.runs, &run{part, name, g})
	s.mu.Unlock()
	o.Dial = g.Dial
	total := o.Limits.Effective().Total
	done := make(chan *probe.Result, 1)
	labelled(s.label+id, func() { done <- probe.Run(ctx, s.p, g.target, &o) })
	giveUp := time.NewTimer(total + s.giveUp)
	defer giveUp.Stop()
	select {
	case r := <-done:
		return r, ""
	case <-giveUp.C:
		s.mu.Lock()
		s.hung++
		s.mu.Unlock()
		return nil, stacksOf(s.label)[id]
	}
}

// leftovers looks for what runs left behind, a while after they ended.
func (s *suite) leftovers() {
	const patience = 2 * time.Second
	for id, stack := range settle(s.label, patience) {
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
