package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Evidence is what a Redis server says to PING.
type Evidence struct {
	Reply string     `json:"reply"` // its first line, with its type; empty if none came
	Open  probe.Fact `json:"open"`  // whether it answers without a password
}

// Protocol returns "redis".
func (*Evidence) Protocol() string { return "redis" }

// Prober asks a Redis server whether it is there.
type Prober struct{}

// Spec describes the protocol.
func (Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "redis",
		Ports:    []probe.Port{{Network: probe.TCP, Number: 6379}},
		Guard:    func(probe.Contact) probe.Guard { return guard },
		Bounds: probe.Bounds{
			Greeting: probe.Bound{Conns: 1, Time: time.Minute}, Handshake: probe.Bound{Conns: 1, Time: time.Minute}, Anonymous: probe.Bound{Conns: 1, Time: time.Minute},
		},
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
}

// guard lets one message pass, whole: what follows a line end would be the next command, and Redis obeys anybody.
func guard(_ probe.Level, plain []byte) (string, error) {
	if string(plain) != "PING\r\n" {
		return "", fmt.Errorf("%q is not PING", plain)
	}
	return "PING", nil
}

// Probe sends PING and reads the reply.
func (Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := new(Evidence)
	s.Keep(e)
	c, err := s.Open(ctx)
	if err != nil {
		return e, err
	}
	defer c.Close()
	if s.Level() == probe.LevelGreeting {
		return e, nil // a Redis server doesn't speak first
	}
	if err := c.Send([]byte("PING\r\n")); err != nil {
		return e, err
	}
	line, err := c.ReadLine()
	e.Reply, _ = probe.UTF8(line)
	if err != nil {
		return e, err
	}
	switch {
	case e.Reply == "+PONG":
		e.Open = probe.Yes
	case strings.HasPrefix(e.Reply, "-NOAUTH "), strings.HasPrefix(e.Reply, "-DENIED "):
		e.Open = probe.No
	case !strings.HasPrefix(e.Reply, "-"): // any other error leaves it unknown
		return e, probe.Errorf("reply", probe.OutcomeNotProtocol, "%.64q answers no PING", e.Reply)
	}
	return e, nil
}

// RuleOpen fires on a server that answers without a password.
var RuleOpen = finding.Rule{
	ID:          "redis.open",
	Title:       "Redis answers anybody",
	Severity:    finding.High,
	Summary:     "Whoever reaches the port can read, change and erase all data.",
	Remediation: "Set requirepass or ACL users, and bind to a private address, in redis.conf.",
	CWE:         []int{306},
	References:  []string{"https://redis.io/docs/latest/operate/oss_and_stack/management/security/"},
	Check: finding.On(func(e *Evidence) finding.Answer {
		return finding.When(e.Open, probe.Yes, finding.Fires(finding.Seen, "/evidence/reply"))
	}),
}
