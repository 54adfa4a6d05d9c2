package ftp

import (
	"cmp"
	"context"
	"errors"

	"github.com/handclasp/handclasp/probe"
)

// Protocol is the protocol's name in results.
const Protocol = "ftp"

// The names that are sent with USER. The guard has its own copy.
const (
	userMadeUp    = "USER handclasp-no-such-user" // a name that says what it is to whoever reads the server's log
	userAnonymous = "USER anonymous"
)

// DefaultContact is the host name in the anonymous password. The domain "invalid" never exists (RFC 2606 §2).
const DefaultContact = "handclasp.invalid"

// A Prober asks FTP servers. The zero value is ready to use.
type Prober struct {
	// Versions asks which TLS versions the server accepts, by one more connection for each that wasn't negotiated
	// anyway: tls.versions.
	Versions bool
	// Contact is a host name by which those who run the server find whoever is asking: "example.org" makes the
	// anonymous password handclasp@example.org. Empty means [DefaultContact]; the guard refuses all but host names.
	Contact string
}

// Spec returns the ports 21 and 990, the latter with TLS from the first byte.
func (Prober) Spec() probe.Spec {
	return probe.Spec{
		Protocol: Protocol,
		Ports: []probe.Port{
			{Network: probe.TCP, Number: 21},
			{Network: probe.TCP, Number: 990, ImplicitTLS: true},
		},
		Guard:    func(probe.Contact) probe.Guard { return guard },
		Evidence: func() probe.Evidence { return newEvidence() },
	}
}

// Grab probes addr, such as "192.0.2.7:21", with the default prober. The evidence is valid, if partial, beside an
// error; it is nil only where addr makes no target.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Probe holds the conversation that the package's documentation shows.
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	v := &visit{ctx: ctx, s: s, e: newEvidence(), pass: "PASS handclasp@" + cmp.Or(p.Contact, DefaultContact)}
	s.Keep(v.e)
	if p.Contact != "" {
		if _, err := guard(probe.LevelHandshake, []byte(v.pass+"\r\n")); err != nil {
			return v.e, &probe.Error{Op: "contact", Outcome: probe.OutcomeForbidden, Err: err}
		}
	}
	err := v.converse()
	s.OfferTLS(ctx, v.e.TLS, v.reachTLS)
	if err == nil && p.Versions {
		err = s.AcceptedVersions(ctx, v.e.TLS, func() (*probe.Conn, error) { return v.reachTLS(ctx) })
	}
	return v.e, err
}

// converse asks what the server offers on one connection, and how it takes logins on that one and others.
func (v *visit) converse() error {
	c, err := v.connect(&v.e.Greeting)
	if err != nil {
		return err
	}
	defer c.Close()
	if v.s.Level() < probe.LevelHandshake || !v.e.Greeting.Is(220) {
		return nil
	}
	if v.s.ImplicitTLS() {
		if err := v.inside(c); err != nil {
			return err
		}
		_, err := v.anonymous(c)
		c.quit()
		return err
	}
	if err := v.offers(c, &v.e.Features); err != nil {
		return err
	}
	err = v.secure(c)
	switch {
	case err == nil && c.Secure():
		return v.logins(nil, c)
	case err == nil:
		return v.logins(c, nil)
	case errors.Is(err, probe.ErrTLS), hungUp(err):
		// TLS is broken, or the server hangs up where it is asked for it. What it does in cleartext matters the more.
		c.Close()
		if v.e.AuthTLS == probe.No {
			err = nil // it hung up behind its answer
		}
		return cmp.Or(v.logins(nil, nil), err)
	}
	return err
}

// offers asks what the server supports and what it is.
func (v *visit) offers(c *control, features *[]string) error {
	reply, err := c.ask("FEAT")
	*features = parseFeatures(reply)
	if err == nil && isNoAnswer(reply) {
		err = probe.Errorf("FEAT", probe.OutcomeNotProtocol, "%d %s", reply.Code, clip([]byte(reply.Text())))
	}
	if err != nil {
		return err
	}
	return v.system(c)
}

// system asks what the server is. vsftpd, for one, tells only those who logged in.
func (v *visit) system(c *control) error {
	reply, err := c.ask("SYST")
	if reply.Is(215) {
		v.e.System = reply.Text()
	}
	v.reserved = reply.Is(530)
	return err
}

// secure asks for TLS and, where it is granted, what changes inside it.
func (v *visit) secure(c *control) error {
	for _, auth := range []string{"AUTH TLS", "AUTH SSL"} {
		reply, err := c.ask(auth)
		granted := reply.Is(234, 334)
		if reply != nil && (granted || v.e.AuthReply == nil) {
			v.e.AuthReply = reply
		}
		switch {
		case granted && err == nil:
			v.e.AuthTLS, v.auth = probe.Yes, auth
			if v.e.TLS, err = c.StartTLS(v.ctx); err != nil {
				return err
			}
			return v.inside(c)
		case err != nil:
			return err
		case reply.Code >= 400 && reply.Code != 421:
			v.e.AuthTLS = probe.No
		}
	}
	return nil
}

// inside asks what the server supports inside TLS, and whether it protects data as well.
func (v *visit) inside(c *control) error {
	if v.s.ImplicitTLS() {
		if err := v.offers(c, &v.e.FeaturesAfterTLS); err != nil {
			return err
		}
		return v.protect(c)
	}
	reply, err := c.ask("FEAT")
	v.e.FeaturesAfterTLS = parseFeatures(reply)
	if err != nil {
		return err
	}
	return v.protect(c)
}

// protect asks for encrypted data connections (RFC 4217 §9). 503 and 530 want a login first.
func (v *visit) protect(c *control) error {
	for _, command := range []string{"PBSZ 0", "PROT P"} {
		reply, err := c.ask(command)
		switch {
		case err != nil:
			return err
		case reply.Is(503, 530):
			return nil
		case reply.Code >= 500:
			v.e.ProtectsData = probe.No
			return nil
		case reply.Code >= 300:
			return nil
		}
	}
	v.e.ProtectsData = probe.Yes
	return nil
}

// reachTLS opens a connection and leads it to where TLS begins.
func (v *visit) reachTLS(ctx context.Context) (*probe.Conn, error) {
	raw, err := v.s.Open(ctx)
	if err != nil || v.s.ImplicitTLS() {
		return raw, err
	}
	c := v.control(raw)
	reply, err := c.reply()
	if err == nil && reply.Is(220) {
		reply, err = c.ask(v.auth)
	}
	if err == nil && !reply.Is(234, 334) {
		err = turnedAway(reply)
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return raw, nil
}
