package probetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// sample is a prober of a small protocol: the server says "HI name", and answers INFO, TLS and, to anybody, LIST; the
// last gives lines up to one with a dot.
type sample struct{}

type sampleEvidence struct {
	Name  string     `json:"name"`
	Info  string     `json:"info"`
	Token string     `json:"token"`
	TLS   *probe.TLS `json:"tls"`
	Names []string   `json:"names"`
}

func (*sampleEvidence) Protocol() string { return "sample" }

func (sample) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "sample",
		Ports:    []probe.Port{{Network: probe.TCP, Number: 7007}, {Network: probe.TCP, Number: 7008, ImplicitTLS: true}},
		Guard:    always(sampleGuard),
		Bounds: probe.Bounds{
			Greeting: probe.Bound{Conns: 1, Time: time.Minute}, Handshake: probe.Bound{Conns: 4, Time: time.Minute}, Anonymous: probe.Bound{Conns: 4, Time: time.Minute},
		},
		Evidence: func() probe.Evidence { return new(sampleEvidence) },
	}
}

func sampleGuard(l probe.Level, plain []byte) (string, error) {
	line, ok := strings.CutSuffix(string(plain), "\r\n")
	verb, _, _ := strings.Cut(line, " ")
	switch {
	case !ok || strings.ContainsAny(line, "\r\n\x00"):
		return "", errors.New("not one line")
	case verb == "INFO" || line == "TLS" || line == "BYE":
		return verb, nil
	case line == "LIST" && l >= probe.LevelAnonymous:
		return verb, nil
	}
	return "", fmt.Errorf("%q is not on the list", line)
}

func (p sample) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := new(sampleEvidence)
	s.Keep(e)
	return e, p.talk(ctx, s, e)
}

func (p sample) talk(ctx context.Context, s *probe.Session, e *sampleEvidence) error {
	c, err := s.Open(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if s.ImplicitTLS() {
		if e.TLS, err = c.StartTLS(ctx); err != nil {
			return err
		}
	}
	line, err := c.ReadLine()
	if err != nil {
		return err
	}
	name, ok := bytes.CutPrefix(line, []byte("HI "))
	if !ok {
		return probe.Errorf("greeting", probe.OutcomeNotProtocol, "no HI")
	}
	e.Name, _ = probe.UTF8(name)
	if s.Level() == probe.LevelGreeting {
		return nil
	}
	if e.Token, err = s.RandomName(4); err != nil {
		return err
	}
	if e.Info, err = p.ask(c, "INFO "+e.Token); err != nil {
		return err
	}
	if !c.Secure() {
		answer, err := p.ask(c, "TLS")
		if err != nil {
			return err
		}
		if answer == "OK" {
			if e.TLS, err = c.StartTLS(ctx); err != nil {
				return err
			}
		}
	}
	if s.Level() == probe.LevelAnonymous {
		if err := p.list(c, s.Limits().ReplyLines, e); err != nil {
			return err
		}
	}
	_, err = p.ask(c, "BYE")
	return err
}

func (sample) ask(c *probe.Conn, command string) (string, error) {
	if err := c.Send([]byte(command + "\r\n")); err != nil {
		return "", err
	}
	line, err := c.ReadLine()
	answer, _ := probe.UTF8(line)
	return answer, err
}

func (sample) list(c *probe.Conn, limit int, e *sampleEvidence) error {
	if err := c.Send([]byte("LIST\r\n")); err != nil {
		return err
	}
	for {
		line, err := c.ReadLine()
		if err != nil {
			return err
		}
		if string(line) == "." {
			return nil
		}
		if len(e.Names) >= limit {
			return &probe.Error{Op: "list", Outcome: probe.OutcomeLimit, Err: &probe.LimitError{Limit: "ReplyLines", Value: limit}}
		}
		name, _ := probe.UTF8(line)
		e.Names = append(e.Names, name)
	}
}

// always is a guard that remembers nothing.
func always(g probe.Guard) func(probe.Contact) probe.Guard {
	return func(probe.Contact) probe.Guard { return g }
}
