package smb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
)

// What is being done, in errors.
const (
	opSession   = "session" // of NetBIOS
	opNegotiate = "negotiate"
	opSetup     = "session setup"
	opAnonymous = "anonymous session"
)

// A question is what one connection asks: an offer of dialects, and whether to ask for an NTLM challenge as well.
type question struct {
	dialects   []uint16 // of SMB 2 and 3; empty when smb1 is asked
	algorithms offer
	smb1       []string
	extended   bool // of SMB1: extended security
	setup      bool
	random     [randomSize]byte
}

// draw gives a question its random bytes.
func (q *question) draw(s *probe.Session) (err error) {
	if len(q.smb1) == 0 { // SMB1 takes none
		q.random, err = draw(s)
	}
	return err
}

// draw returns random bytes for a negotiation.
func draw(s *probe.Session) (random [randomSize]byte, err error) {
	if _, err := io.ReadFull(s.Rand(), random[:]); err != nil {
		return random, &probe.Error{Op: "rand", Outcome: probe.OutcomeInternal, Err: err}
	}
	return random, nil
}

// An answer is what came to a question. What came before a conversation broke off stands beside the error.
type answer struct {
	reply      *negotiateReply
	smb1       *negotiate1Reply
	mechanisms []string // of the negotiation's token; nil if there is none
	setup      *setupReply
	challenge  *probe.NTLM
	foreign    bool // reply chose a dialect that wasn't offered
	asked      bool // the connection carried SMB: err is of the conversation
	err        error
}

// answered reports whether the negotiation was answered in words.
func (a answer) answered() bool { return a.reply != nil || a.smb1 != nil }

// hungUp reports whether the server read the question and hung up on it.
func (a answer) hungUp() bool {
	return a.asked && !a.answered() && errors.Is(a.err, probe.OutcomeClosed)
}

// turnedAway reports whether the server had no room for a question, which it may have later.
func (a answer) turnedAway() bool {
	return errors.Is(a.err, probe.OutcomeBusy) || !a.answered() && (errors.Is(a.err, probe.OutcomeClosed) || errors.Is(a.err, probe.OutcomeRefused))
}

// busy is the error of a status that says that the server has no room now (MS-ERREF §2.3.1), else nil.
func busy(op string, status uint32) error {
	switch status {
	case statusRequestNotAccepted, statusInsuffResources, statusNoResources, statusTooManySessions:
		return probe.Errorf(op, probe.OutcomeBusy, "%s", statusName(status))
	}
	return nil
}

// turnsAway is the error of a negotiation's status that says not now, or not to this client, else nil.
func turnsAway(status uint32) error {
	if name := statusName(status); status != statusNotSupported && denials[name] {
		return probe.Errorf(opNegotiate, probe.OutcomeDenied, "%s", name)
	}
	return busy(opNegotiate, status)
}

// hold holds the conversation over a connection that carries SMB.
func (q *question) hold(c *probe.Conn) (a answer) {
	a.asked = true
	if len(q.smb1) > 0 {
		a.err = q.offerSMB1(c, &a)
	} else {
		a.err = q.offerSMB2(c, &a)
	}
	return a
}

func (q *question) offerSMB2(c *probe.Conn, a *answer) error {
	message, err := exchange(c, opNegotiate, header{command: commandNegotiate}.request(negotiate(q.dialects, q.algorithms, q.random)))
	if err != nil {
		return err
	}
	reply, err := parseNegotiate(message)
	if reply == nil {
		return malformed(opNegotiate, err)
	}
	if a.reply = reply; reply.status != statusSuccess {
		return turnsAway(reply.status)
	}
	if a.foreign = !slices.Contains(q.dialects, reply.dialect); a.foreign {
		q.setup = false
		err = errors.Join(fmt.Errorf("chose dialect %#04x, which wasn't offered", reply.dialect), q.login(c, a, reply.token, nil, nil))
	}
	if err != nil {
		return malformed(opNegotiate, err)
	}
	return q.login(c, a, reply.token, func(token []byte) []byte {
		return header{command: commandSessionSetup, charge: chargeOf(reply.dialect), message: 1}.request(sessionSetup(token))
	}, parseSessionSetup)
}

func (q *question) offerSMB1(c *probe.Conn, a *answer) error {
	message, err := exchange(c, opNegotiate, negotiate1(q.smb1, q.extended))
	if err != nil {
		return err
	}
	if a.smb1, err = parseNegotiate1(message, q.smb1); err != nil {
		return malformed(opNegotiate, err)
	}
	if a.smb1.capabilities&cap1ExtendedSecurity == 0 {
		return turnsAway(a.smb1.status)
	}
	key := a.smb1.sessionKey
	return q.login(c, a, a.smb1.token, func(token []byte) []byte {
		return header1{command: command1SessionSetup, flags2: flags2(true), multiplex: 1}.request(sessionSetup1(key, token))
	}, parseSessionSetup1)
}

// login reads the negotiation's token and, if that is asked, begins a login by NTLM up to the challenge.
func (q *question) login(c *probe.Conn, a *answer, offered []byte, request func(token []byte) []byte, parse func([]byte) (*setupReply, error)) (err error) {
	token := ntlmssp.Negotiate() // as it is, if the server doesn't wrap its token either
	if len(offered) > 0 {
		if a.mechanisms, err = parseMechanisms(offered); err != nil {
			return malformed(opNegotiate, err)
		}
		token = ntlmToken(token)
	}
	if !q.setup || len(a.mechanisms) > 0 && !slices.Contains(a.mechanisms, mechanismNTLM) {
		return nil
	}
	message, err := exchange(c, opSetup, request(token))
	for range maxInterim {
		if err != nil {
			return err
		}
		if a.setup, err = parse(message); err != nil {
			return malformed(opSetup, err)
		}
		if !a.setup.pending {
			return a.readChallenge()
		}
		message, err = receive(c, opSetup, maxMessage)
	}
	return probe.Errorf(opSetup, probe.OutcomeMalformed, "nothing but interim replies")
}

// readChallenge reads what a login that goes on brought.
func (a *answer) readChallenge() error {
	if a.setup.status != statusMoreProcessing {
		return busy(opSetup, a.setup.status)
	}
	message, err := challengeOf(a.setup.token)
	if err == nil {
		a.challenge, err = ntlmssp.Challenge(message)
	}
	if err != nil {
		return malformed(opSetup, err)
	}
	return nil
}

func exchange(c *probe.Conn, op string, message []byte) ([]byte, error) {
	if err := c.Send(frame(message)); err != nil {
		return nil, err
	}
	return receive(c, op, maxMessage)
}

// beside is how many questions are asked at a time.
const beside = 2

// each asks questions, some at a time, each on a connection of its own. Those that the server dropped or was too busy for it
// asks again one after the other.
func (t *talk) each(ctx context.Context, list []question) []answer {
	answers := make([]answer, len(list))
	for i := range list {
		if answers[i].err = list[i].draw(t.s); answers[i].err != nil {
			return answers
		}
	}
	for at := 0; at < len(list); at += beside {
		t.s.OpenEach(ctx, min(beside, len(list)-at), func(i int, c *probe.Conn, err error) {
			if i += at; err == nil {
				err = t.prepare(c)
			}
			if err != nil {
				answers[i].err = err
				return
			}
			answers[i] = list[i].hold(c)
		})
	}
	some := slices.ContainsFunc(answers, answer.answered)
	for i, a := range answers {
		if len(list) < 2 || !a.turnedAway() {
			continue
		}
		again := t.alone(ctx, list[i])
		if limit := (*probe.LimitError)(nil); !errors.As(again.err, &limit) {
			answers[i] = again
		}
		if !some && !again.answered() || again.turnedAway() && i < len(list)-1 {
			break // it takes no such questions, or no more of them
		}
		some = true
	}
	return answers
}

// alone asks one question.
func (t *talk) alone(ctx context.Context, q question) (a answer) {
	if a.err = q.draw(t.s); a.err != nil {
		return a
	}
	c, err := t.open(ctx)
	if err != nil {
		a.err = err
		return a
	}
	defer c.Close()
	return q.hold(c)
}

const (
	// maxInterim is how many replies may say that the reply is still to come.
	maxInterim = 4
	// maxKeepAlives is more than a server sends that answers at all.
	maxKeepAlives = 8
)

// receive reads one message of at most so many bytes. Keep-alives of a NetBIOS session are skipped (RFC 1002 §4.3.7).
func receive(c *probe.Conn, op string, most int) ([]byte, error) {
	for range maxKeepAlives {
		var head [frameSize]byte
		if _, err := c.ReadFull(head[:]); err != nil {
			return nil, err
		}
		size := int(binary.BigEndian.Uint32(head[:]) & 0x00ffffff)
		switch {
		case head[0] == nbt.TypeKeepAlive && size == 0:
			continue
		case head[0] == nbt.TypeNegative && size == 1:
			return nil, turnedAway(c, op)
		case head[0] != nbt.TypeMessage || size < len(magicSMB1) || size > most:
			return nil, probe.Errorf(op, probe.OutcomeNotProtocol, "%q begins no reply", head)
		}
		return receiveBody(c, op, size)
	}
	return nil, probe.Errorf(op, probe.OutcomeMalformed, "nothing but keep-alives")
}

// turnedAway reads why a server sends a negative session response, which it does without NetBIOS as well (RFC 1002 §4.3.4).
func turnedAway(c *probe.Conn, op string) error {
	var reason [1]byte
	if _, err := c.ReadFull(reason[:]); err != nil {
		return err
	}
	reply := &nbt.SessionReply{Type: nbt.TypeNegative, Error: reason[0]}
	if err := reply.Refusal(); err != nil {
		return err
	}
	return probe.Errorf(op, probe.OutcomeDenied, "negative session response: %s", reply.ErrorText())
}

// firstRead is how much memory a reply gets on its word alone; it gets more as it comes.
const firstRead = 1 << 10

func receiveBody(c *probe.Conn, op string, size int) ([]byte, error) {
	b := make([]byte, len(magicSMB1), min(size, firstRead))
	if _, err := c.ReadFull(b); err != nil {
		return nil, err
	}
	if magic := string(b); magic != magicSMB2 && magic != magicSMB1 {
		return nil, probe.Errorf(op, probe.OutcomeNotProtocol, "%q begins no SMB message", magic)
	}
	for len(b) < size {
		have := len(b)
		b = slices.Grow(b, min(size-have, max(have, firstRead)))
		b = b[:min(size, cap(b))]
		if _, err := c.ReadFull(b[have:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func malformed(op string, err error) error {
	return &probe.Error{Op: op, Outcome: probe.OutcomeMalformed, Err: err}
}
