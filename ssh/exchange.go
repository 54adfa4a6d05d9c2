package ssh

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// opExchange is the step that errors name.
const opExchange = "key exchange"

// clientVersion is the identification without its ending, with the visitor's address for complaints as its comment
// (RFC 4253 §4.2).
func clientVersion(c probe.Contact) string {
	return strings.TrimRight("SSH-2.0-handclasp "+c.Mail, " ")
}

func identificationLine(c probe.Contact) string { return clientVersion(c) + "\r\n" }

// userName is the name for which the method none is asked. No account has it.
func userName(c probe.Contact) string { return cmp.Or(c.Host, "handclasp") + "-no-such-user" }

// An exchange is one conversation that the library holds: a key exchange and, if login is set, the question which
// methods there are to log in. The library has no credential to give away.
type exchange struct {
	s     *probe.Session
	login bool

	mu      sync.Mutex // the library calls back from goroutines of its own
	key     ssh.PublicKey
	asked   bool // the method none was answered
	let     bool // the answer was that the client is logged in
	methods []string
	banner  strings.Builder
}

// said is what a server showed in an exchange.
type said struct {
	kexInit *kexInit // nil if none came
	blob    []byte   // of the host key; nil if none was shown
	proven  bool     // the server has the private key, too
	asked   bool
	let     bool
	methods []string
	banner  string
}

// converse lets the library talk until it has what is wanted, or can't go on. What the server showed is returned beside
// an error. An *ssh.AlgorithmNegotiationError says that there is nothing in common; other errors are of package probe.
//
// It begins in this goroutine, since one more would cost each of a thousand probes a stack. It ends with the session, whose
// connection it reads, unless the server's lists lead to a large group: then it begins anew apart, with the same randomness.
func (x *exchange) converse(ctx context.Context, c *probe.Conn, id string, hostKeys []string) (said, error) {
	contact, conn := x.s.Contact(), c.NetConn()
	t := newTap(conn, id[:min(len(id), maxIdentification)], longestCipher+len(contact.Host))
	config := &ssh.ClientConfig{
		Config: offered(), ClientVersion: clientVersion(contact), User: userName(contact), HostKeyAlgorithms: hostKeys,
		HostKeyCallback: onHostKey(t, x), BannerCallback: x.onBanner, AuthCallback: x.onMethods,
	}
	talk := func() error {
		conn, channels, requests, err := ssh.NewClientConn(conn, "", config)
		if err == nil {
			x.onLogin()
			leave(conn, channels, requests)
		}
		return err
	}
	random := &draws{Reader: x.s.Rand()}
	conn, config.Rand = t, random
	err := talk()
	if errors.Is(err, errLarge) {
		t = t.anew()
		slow := newSlow(t)
		conn, config.Rand = slow, random.again()
		err = x.apart(ctx, func() error {
			defer slow.end()
			return talk()
		})
	}
	_ = conn.Close()
	received, broken := t.seen()
	return x.said(received), x.verdict(err, broken)
}

// leave ends a connection on which a login succeeded, before anything is done with it.
func leave(conn ssh.Conn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	_ = conn.Close()
	// The library waits for somebody to take what the server has sent. Nothing of it is answered.
	var drained sync.WaitGroup
	drained.Go(func() { drain(channels) })
	drained.Go(func() { drain(requests) })
	drained.Wait()
}

func drain[T any](c <-chan T) {
	for range c {
	}
}

func (x *exchange) contextError(ctx context.Context) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &probe.Error{Op: x.op(), Outcome: probe.OutcomeCanceled, Err: ctx.Err()}
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded): // the caller's
		return &probe.Error{Op: x.op(), Outcome: probe.OutcomeTimeout, Err: ctx.Err()}
	}
	limit := &probe.LimitError{Limit: "Total", Value: x.s.Limits().Total}
	return &probe.Error{Op: x.op(), Outcome: probe.OutcomeLimit, Err: limit}
}

// onHostKey returns what is called when the signature of the exchange was verified. A is net.Addr.
func onHostKey[A any](_ *tap[A], x *exchange) func(string, A, ssh.PublicKey) error {
	return func(_ string, _ A, key ssh.PublicKey) error {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.key = key
		if !x.login {
			return errDone
		}
		return nil
	}
}

func (x *exchange) onBanner(message string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.banner.WriteString(message)
	return nil
}

// onMethods is called when the method none was refused, and also if its answer was broken: no methods are named then, and
// the library is let go on, to say what was broken.
func (x *exchange) onMethods(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if c.AllowedMethods == nil {
		return nil, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked, x.methods = true, c.AllowedMethods
	return nil, errDone
}

func (x *exchange) onLogin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked, x.let = true, true
}

func (x *exchange) said(received cleartext) said {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := said{
		kexInit: received.lists, proven: x.key != nil,
		asked: x.asked, let: x.let, methods: x.methods, banner: x.banner.String(),
	}
	if x.key != nil {
		all.blob = x.key.Marshal()
	} else {
		all.blob = shownHostKey(received.replies)
	}
	return all
}

// verdict tells apart why the library ended: broken is what the connection said, if anything.
func (x *exchange) verdict(err, broken error) error {
	x.mu.Lock()
	enough := x.let || x.key != nil && (!x.login || x.asked)
	x.mu.Unlock()
	var nothing *ssh.AlgorithmNegotiationError
	var known *probe.Error
	switch {
	case enough:
		return nil
	case broken != nil:
		return broken
	case errors.As(err, &nothing):
		return nothing
	case errors.As(err, &known):
		return known
	}
	return &probe.Error{Op: x.op(), Outcome: disconnected(err.Error()), Err: err}
}

// disconnected is the outcome of SSH_MSG_DISCONNECT (RFC 4253 §11.1), for which the library has words and no type; malformed
// for what isn't one.
func disconnected(words string) probe.Outcome {
	_, reason, ok := strings.Cut(words, "ssh: disconnect, reason ")
	reason, _, _ = strings.Cut(reason, ":")
	switch {
	case !ok:
		return probe.OutcomeMalformed
	case reason == "12": // too many connections
		return probe.OutcomeBusy
	case reason == "1": // host not allowed to connect
		return probe.OutcomeDenied
	}
	return probe.OutcomeClosed
}

func (x *exchange) op() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.key != nil {
		return "login"
	}
	return opExchange
}
