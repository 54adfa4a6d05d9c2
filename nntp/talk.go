package nntp

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// A talk is the conversation of one probe. Its methods are the conversation's steps, and fill the evidence.
type talk struct {
	*textline.Attempt
	s       *probe.Session
	e       *Evidence
	c       *textline.Conn // the connection that is open
	group   string         // the random part of the name that is asked for
	listed  bool           // CAPABILITIES gave a whole list
	cut     bool           // the last list had no end
	leaving bool           // the server said that it closes the connection
}

// errLeft ends the conversation with a server that said that it would.
var errLeft = errors.New("the server left, as it said")

func newTalk(s *probe.Session) *talk {
	t := &talk{s: s, e: new(Evidence)}
	s.Keep(t.e)
	return t
}

// words are NNTP's in what it shares with other protocols.
var words = textline.Protocol{Style: textline.SingleLine, Greets: greets, Quit: cmdQuit, Bye: codeQuit}

// greet opens a connection and waits for the first line.
func (t *talk) greet(ctx context.Context) (err error) {
	if t.c, err = words.Open(ctx, t.s); err != nil {
		return err
	}
	t.c.Patient = t.Patient
	g, err := t.c.Greet(ctx)
	if t.e.Greeting == nil || err == nil { // a second connection that is turned away tells nothing of the first
		t.e.Greeting, t.e.Posting, t.e.ImplicitTLS, t.e.TLS = g.Reply, posting(g.Reply), g.Implicit, g.TLS
	}
	return err
}

func (t *talk) close() {
	if t.c != nil {
		_ = t.c.Close()
	}
}

// forget drops what a conversation told that fell out of step, all but its opening.
func (t *talk) forget() {
	t.close()
	opening := Evidence{Greeting: t.e.Greeting, Posting: posting(t.e.Greeting), ImplicitTLS: t.e.ImplicitTLS}
	if t.e.ImplicitTLS == probe.Yes {
		opening.TLS = t.e.TLS
	}
	*t.e, t.listed, t.cut, t.leaving = opening, false, false, false
}

// ask sends a command and keeps the reply to it in a field of the evidence, which is lost if none comes. A server that closes
// the connection may say so to any command (RFC 3977 §3.2.1).
func (t *talk) ask(field string, reply **probe.Reply, command string, codes ...int) (err error) {
	*reply, err = t.c.Ask(command, codes...)
	if t.leaving && errors.Is(err, probe.OutcomeClosed) {
		return errLeft
	}
	if err == nil && (*reply).Is(codeDiscontinued) {
		text := (*reply).Text()
		err = probe.Errorf(field, probe.OutcomeBusy, "%d %s", codeDiscontinued, text[:min(len(text), 64)])
	}
	t.Lost(field, err)
	return err
}

// list asks for a list into a field. Its lines, trimmed, are those that came, also beside an error; nil if the server gave no
// list.
func (t *talk) list(field string, reply **probe.Reply, lines *[]string, command string, codes ...int) error {
	if err := t.ask(field, reply, command, codes...); err != nil || !(*reply).Is(codes...) {
		return err
	}
	most := t.s.Limits().ReplyLines
	read, truncated, err := textline.ReadBlock(t.c, most)
	for i, line := range read {
		read[i] = strings.TrimSpace(line) // LIST EXTENSIONS is indented by some
	}
	if truncated {
		err = &probe.Error{Op: "reply", Outcome: probe.OutcomeLimit, Err: &probe.LimitError{Limit: "ReplyLines", Value: most}}
	}
	if len(read) > 0 || err == nil {
		*lines = read
	}
	t.cut = err != nil
	t.listed = t.listed || err == nil && command == cmdCapabilities
	t.Lost(field, err)
	return err
}

// capabilities learns the capabilities, and switches to reading mode if there is one to switch to.
func (t *talk) capabilities() (err error) {
	e := t.e
	defer t.learn()
	if err := t.list("capabilities", &e.CapabilitiesReply, &e.Capabilities, cmdCapabilities, codeCapabilities); err != nil {
		return err
	}
	if t.listed {
		e.CapabilitiesFrom = cmdCapabilities
	}
	old := unknownCommand(e.CapabilitiesReply)
	switches := hasCapability(e.Capabilities, "MODE-READER") >= 0 && hasCapability(e.Capabilities, "READER") < 0
	if !old && !switches {
		return nil
	}
	if err := t.ask("mode_reader", &e.ModeReader, cmdModeReader, codePosting, codeNoPosting); err != nil {
		return err
	}
	t.leaving = e.ModeReader.Is(codeNotPermitted) // RFC 3977 §5.3.1: and closes the connection
	if t.switched() {
		e.Posting = posting(e.ModeReader)
	}
	var reply *probe.Reply
	switch {
	case old:
		err = t.list("capabilities", &reply, &e.Capabilities, cmdExtensions, codeExtensions, codeList)
		if err == nil && e.Capabilities != nil {
			e.CapabilitiesFrom = cmdExtensions
		}
	case t.switched():
		err = t.list("capabilities_after_mode_reader", &reply, &e.CapabilitiesAfterModeReader, cmdCapabilities, codeCapabilities)
	}
	return err
}

// switched reports whether MODE READER was accepted.
func (t *talk) switched() bool { return t.e.ModeReader.Is(codePosting, codeNoPosting) }

// learn draws what the lists of capabilities say.
func (t *talk) learn() {
	e := t.e
	before := append(append([]string{}, e.Capabilities...), e.CapabilitiesAfterModeReader...)
	if e.Capabilities != nil && e.AuthMethods == nil { // before TLS
		e.AuthMethods, e.SASLMechanisms = t.args(before, "AUTHINFO"), t.args(before, "SASL")
	}
	if e.CapabilitiesAfterTLS != nil {
		e.AuthMethodsAfterTLS, e.SASLMechanismsAfterTLS = t.args(e.CapabilitiesAfterTLS, "AUTHINFO"), t.args(e.CapabilitiesAfterTLS, "SASL")
	}
	all := append(before, e.CapabilitiesAfterTLS...)
	e.Implementation = implementation(all)
	switch {
	case hasCapability(all, "IHAVE") >= 0, hasCapability(all, "STREAMING") >= 0:
		e.Feeding = probe.Yes
	case t.listed: // IHAVE was no extension, so that LIST EXTENSIONS says nothing of it
		e.Feeding = probe.No
	}
	if t.listed && hasCapability(all, "READER") >= 0 {
		e.Posting = probe.FactOf(hasCapability(all, "POST") >= 0) // what the greeting says is said to everybody
	}
}

// args returns the arguments of a capability, nil if there are none in a list whose end didn't come.
func (t *talk) args(lines []string, label string) []string {
	args := capabilityArgs(lines, label)
	if len(args) == 0 && t.cut {
		return nil
	}
	return args
}

func (t *talk) date() error {
	var reply *probe.Reply
	if err := t.ask("server_date", &reply, cmdDate, codeDate); err != nil || !reply.Is(codeDate) {
		return err
	}
	if at, ok := parseDate(reply.Text()); ok {
		t.e.ServerDate = &at
	}
	return nil
}

// read enters a group that doesn't exist, and keeps the reply.
func (t *talk) read(field string, reply **probe.Reply) (err error) {
	if t.group == "" {
		if t.group, err = t.s.RandomName(groupLetters); err != nil {
			return err
		}
	}
	if err := t.ask(field, reply, cmdGroup+cmp.Or(t.s.Contact().Host, madeUpBy)+"."+t.group, codeGroup); err != nil {
		return err
	}
	if f := readAccess(*reply); f != probe.Unknown {
		t.e.ReadAccess = f
	}
	return nil
}

// starttls asks for TLS, if the server has it or lists nothing, and asks again what may differ inside. A list without it is
// believed.
func (t *talk) starttls(ctx context.Context) (err error) {
	e := t.e
	if listed := e.announcesTLS(); t.c.Secure() || !listed && e.CapabilitiesFrom != "" {
		if !listed && e.CapabilitiesFrom != "" {
			e.STARTTLS = probe.No
		}
		return nil
	}
	if err := t.ask("starttls_reply", &e.STARTTLSReply, cmdStartTLS, codeContinueTLS); err != nil {
		return err
	}
	if e.STARTTLS = goAhead(e.STARTTLSReply); e.STARTTLS != probe.Yes {
		return nil
	}
	if e.TLS, err = t.c.StartTLS(ctx); err != nil {
		t.Lost("tls", err)
		return err
	}
	var reply *probe.Reply
	err = t.list("capabilities_after_tls", &reply, &e.CapabilitiesAfterTLS, cmdCapabilities, codeCapabilities)
	t.learn()
	if err == nil && e.ServerDate == nil {
		err = t.date()
	}
	if err == nil && e.ReadAccess != probe.Yes {
		err = t.read("read_reply_after_tls", &e.ReadReplyAfterTLS)
	}
	return err
}

// leaveOpen takes back each no that was said in cleartext alone, if there may be TLS, inside which it may be a yes. A greeting's no
// is said to everybody.
func (e *Evidence) leaveOpen() {
	if e.ImplicitTLS == probe.Yes || e.OffersTLS() == probe.No {
		return
	}
	if e.ReadAccess == probe.No && e.ReadReplyAfterTLS == nil {
		e.ReadAccess = probe.Unknown
	}
	if e.CapabilitiesAfterTLS != nil {
		return
	}
	if e.Feeding == probe.No {
		e.Feeding = probe.Unknown
	}
	if e.Posting == probe.No && !e.Greeting.Is(codeNoPosting) && !e.ModeReader.Is(codeNoPosting) {
		e.Posting = probe.Unknown
	}
}

// maxGroups is how many groups are read: enough to tell what kind of server it is.
const maxGroups = 100

// groups reads the beginning of the list of groups.
func (t *talk) groups() error {
	var reply *probe.Reply
	if err := t.ask("groups", &reply, cmdListActive, codeList); err != nil || !reply.Is(codeList) {
		return err
	}
	lines, truncated, err := textline.ReadBlock(t.c, min(maxGroups, t.s.Limits().ReplyLines))
	t.e.Groups = parseGroups(lines, truncated)
	t.Lost("groups", err)
	return err
}
