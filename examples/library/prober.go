package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/handclasp/handclasp/probe"
)

// Evidence is what the library understood of an anonymous FTP server.
type Evidence struct {
	Login   probe.Fact `json:"login"`
	Listed  probe.Fact `json:"listed"`  // whether it showed its files
	Files   []string   `json:"files"`   // their names
	Refusal string     `json:"refusal"` // the reply that ended the conversation; empty if none did
}

// Protocol returns "ftp-library".
func (*Evidence) Protocol() string { return "ftp-library" }

// Prober asks FTP servers by github.com/jlaffaye/ftp.
type Prober struct{}

// Spec describes the protocol.
func (Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "ftp-library",
		Ports:    []probe.Port{{Network: probe.TCP, Number: 21}},
		Guard:    func(probe.Contact) probe.Guard { return guard },
		Bounds: probe.Bounds{
			Greeting: probe.Bound{Conns: 1, Time: time.Minute}, Handshake: probe.Bound{Conns: 4, Time: time.Minute}, Anonymous: probe.Bound{Conns: 4, Time: time.Minute},
		},
		Evidence: func() probe.Evidence { return new(Evidence) },
	}
}

// allowed is what the library says of its own accord between Login, List and Quit. What another of its methods says, a
// DELE, say, is not on the list, and isn't sent.
var allowed = []string{
	"USER anonymous", "PASS guest@example.invalid", "FEAT", "TYPE I", "OPTS UTF8 ON", "EPSV", "PASV", "LIST", "MLSD", "QUIT",
}

// guard decodes what is about to be sent, whoever composed it.
func guard(l probe.Level, plain []byte) (string, error) {
	line, whole := strings.CutSuffix(string(plain), "\r\n")
	switch {
	case l < probe.LevelAnonymous:
		return "", errors.New("a login below level anonymous")
	case !whole || !slices.Contains(allowed, line):
		return "", fmt.Errorf("%.64q is not on the list", plain)
	}
	return line, nil
}

// Probe lets the library talk over the session's connections: the first that it dials is c, any other a data connection
// to the target, whatever host the server named.
func (Prober) Probe(ctx context.Context, s *probe.Session) (e probe.Evidence, err error) {
	seen := new(Evidence)
	s.Keep(seen)
	c, err := s.Open(ctx)
	if err != nil {
		return seen, err
	}
	defer c.Close()
	if s.Level() < probe.LevelAnonymous {
		line, err := c.ReadLine()
		if err == nil && !bytes.HasPrefix(line, []byte("220")) {
			err = probe.Errorf("greeting", probe.OutcomeNotProtocol, "%.64q", line)
		}
		return seen, err
	}
	return seen, seen.ask(s, s.LibraryDial(ctx, c, "", false))
}

// ask uses the library as any program does. It can be made to panic: by the reply "227 )(" to PASV, for one.
func (e *Evidence) ask(s *probe.Session, dial dialFunc) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = probe.Errorf("library", probe.OutcomeMalformed, "%v", v)
		}
	}()
	client, err := ftp.Dial(s.Target().Addr.String(), ftp.DialWithDialFunc(dial))
	if err != nil {
		return e.judge(err)
	}
	defer client.Quit()
	err = e.judge(client.Login("anonymous", "guest@example.invalid"))
	if err != nil {
		return err
	}
	if e.Login = probe.FactOf(e.Refusal == ""); e.Login == probe.No {
		return nil
	}
	entries, err := client.List("")
	if err != nil {
		return e.judge(err)
	}
	e.Listed = probe.Yes
	for _, entry := range entries {
		name, _ := probe.UTF8([]byte(entry.Name))
		e.Files = append(e.Files, name)
	}
	return nil
}

// judge gives a library's error its outcome: a refusal is an answer and no error, and the session's own say best what
// happened to a connection.
func (e *Evidence) judge(err error) error {
	var known *probe.Error
	var reply *textproto.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.As(err, &reply) && reply.Code >= 400:
		e.Refusal, _ = probe.UTF8([]byte(reply.Error()))
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &probe.Error{Op: "library", Outcome: probe.OutcomeClosed, Err: err}
	}
	return &probe.Error{Op: "library", Outcome: probe.OutcomeMalformed, Err: err}
}
