package nntp

import (
	"context"
	"errors"

	"github.com/handclasp/handclasp/internal/textline"
	"github.com/handclasp/handclasp/probe"
)

// Prober asks news servers. Its zero value is ready for use; the fields go beyond the levels.
type Prober struct {
	// Versions learns which versions of TLS are accepted, with one more connection for each: Evidence.TLS.Versions.
	Versions bool
	// Injection learns whether commands sent in cleartext behind STARTTLS are executed inside TLS, the class of
	// CVE-2011-0411 (INN: CVE-2012-3523), with one more connection: Evidence.STARTTLSInjected.
	Injection bool
}

// Grab probes one server, such as "192.0.2.7:119". The evidence is valid, if partial, beside an error.
func Grab(ctx context.Context, addr string, o *probe.Options) (*Evidence, error) {
	return probe.Grab[*Evidence](ctx, Prober{}, addr, o)
}

// Spec implements [probe.Prober].
func (p Prober) Spec() probe.Spec {
	spec := probe.Spec{
		Protocol: protocol,
		// RFC 3977 has 119, and 433 for a server that is only for peers; 563 is from RFC 4642 and 8143.
		Ports: []probe.Port{
			{Network: probe.TCP, Number: 119}, {Network: probe.TCP, Number: 433},
			{Network: probe.TCP, Number: 563, ImplicitTLS: true},
		},
		Guard:    func(probe.Contact) probe.Guard { return guard },
		Evidence: func() probe.Evidence { return newEvidence() },
	}
	if p.Injection {
		spec.Guard = func(probe.Contact) probe.Guard { return guardInjection }
	}
	return spec
}

// Probe implements [probe.Prober]: one conversation, and then what the knobs add.
func (p Prober) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := newEvidence()
	s.Keep(e)
	k, err := dial(ctx, s, e)
	if err != nil {
		return e, err
	}
	err = k.converse(ctx)
	_ = k.c.Close()
	s.OfferTLS(ctx, e.TLS, func(ctx context.Context) (*probe.Conn, error) { return reachTLS(ctx, s, e) })
	if k.leaving && errors.Is(err, probe.ErrClosed) {
		return e, nil // it said so
	}
	if err == nil && p.Versions {
		err = s.AcceptedVersions(ctx, e.TLS, func() (*probe.Conn, error) { return reachTLS(ctx, s, e) })
	}
	if err == nil && p.Injection {
		err = inject(ctx, s, e)
	}
	return e, err
}

// converse asks everything that one connection can tell.
func (k *talk) converse(ctx context.Context) error {
	goOn, err := k.greeting(ctx)
	if err != nil || !goOn {
		return err
	}
	if err := k.offers(); err != nil {
		return err
	}
	if err := k.date(); err != nil {
		return err
	}
	if err := k.reading(&k.e.ReadReply); err != nil {
		return err
	}
	if k.wantsTLS() {
		if err := k.secure(ctx); err != nil {
			return err
		}
	}
	if k.s.Level() >= probe.LevelAnonymous && k.e.ReadAccess != probe.No {
		if err := k.groups(); err != nil {
			return err
		}
		if k.e.Groups != nil && k.e.Groups.Truncated {
			return nil // no QUIT in the middle of a list
		}
	}
	return k.quit()
}

// greeting waits for the first line, inside TLS where the port is for that, and reports whether to go on.
func (k *talk) greeting(ctx context.Context) (goOn bool, err error) {
	e := k.e
	if k.s.ImplicitTLS() {
		if e.TLS, err = k.c.StartTLS(ctx); err != nil {
			if r := textline.Parse(e.TLS.LeftoverPlaintext, textline.SingleLine); r != nil && isGreeting(r.Code) {
				// nnrpd -S says in cleartext that it is out of service.
				e.Greeting, e.Posting, e.ImplicitTLS = r, posting(r), probe.No
			}
			return false, err
		}
		e.ImplicitTLS = probe.Yes
	}
	e.Greeting, err = k.reply()
	if e.Greeting != nil && !k.c.Secure() {
		e.ImplicitTLS = probe.No
	}
	if err != nil {
		return false, err
	}
	if !isGreeting(e.Greeting.Code) {
		return false, probe.Errorf("greeting", probe.OutcomeNotProtocol, "code %d opens no NNTP conversation", e.Greeting.Code)
	}
	e.Posting = posting(e.Greeting)
	return welcomes(e.Greeting) && k.s.Level() >= probe.LevelHandshake, nil
}

// offers learns the capabilities, and switches to reading mode where there is one to switch to.
func (k *talk) offers() (err error) {
	e := k.e
	var whole bool
	e.CapabilitiesReply, e.Capabilities, whole, err = k.list(cmdCapabilities, codeCapabilities)
	if whole {
		e.CapabilitiesFrom = cmdCapabilities
	}
	k.learn()
	if err != nil {
		return err
	}
	old := unknownCommand(e.CapabilitiesReply)
	switches := hasCapability(e.Capabilities, "MODE-READER") >= 0 && hasCapability(e.Capabilities, "READER") < 0
	if !old && !switches {
		return nil
	}
	if e.ModeReader, err = k.ask(cmdModeReader); err != nil {
		return err
	}
	k.leaving = k.leaving || e.ModeReader.Is(codeNotPermitted) // RFC 3977 §5.3.1: and closes the connection
	switched := k.switched()
	if switched {
		e.Posting = posting(e.ModeReader)
	}
	switch {
	case old:
		_, e.Capabilities, whole, err = k.list(cmdExtensions, codeExtensions, codeList)
		if whole {
			e.CapabilitiesFrom = cmdExtensions
		}
	case switched:
		_, e.CapabilitiesAfterModeReader, _, err = k.list(cmdCapabilities, codeCapabilities)
	}
	k.learn()
	return err
}

// learn draws what the lists of capabilities say.
func (k *talk) learn() {
	e := k.e
	before := append(append([]string{}, e.Capabilities...), e.CapabilitiesAfterModeReader...)
	e.AuthMethods = capabilityArgs(before, "AUTHINFO")
	e.SASLMechanisms = capabilityArgs(before, "SASL")
	e.AuthMethodsAfterTLS = capabilityArgs(e.CapabilitiesAfterTLS, "AUTHINFO")
	e.SASLMechanismsAfterTLS = capabilityArgs(e.CapabilitiesAfterTLS, "SASL")
	all := append(before, e.CapabilitiesAfterTLS...)
	e.Implementation = implementation(all)
	switch {
	case hasCapability(all, "IHAVE") >= 0, hasCapability(all, "STREAMING") >= 0:
		e.Feeding = probe.Yes
	case k.listed: // IHAVE was no extension, so that LIST EXTENSIONS says nothing of it
		e.Feeding = probe.No
	}
}

func (k *talk) date() error {
	r, err := k.ask(cmdDate)
	if err != nil || !r.Is(codeDate) {
		return err
	}
	if t, ok := parseDate(r.Text()); ok {
		k.e.ServerDate = &t
	}
	return nil
}

// reading enters a group that doesn't exist, and keeps the reply.
func (k *talk) reading(reply **probe.Reply) (err error) {
	if k.group == "" {
		if k.group, err = k.s.RandomName(groupLetters); err != nil {
			return err
		}
	}
	if *reply, err = k.ask(cmdGroup + groupPrefix + k.group); err != nil {
		return err
	}
	if f := readAccess(*reply); f != probe.Unknown {
		k.e.ReadAccess = f
	}
	return nil
}

// wantsTLS reports whether to ask for TLS, and says no for a server that lists what it has without it.
func (k *talk) wantsTLS() bool {
	e := k.e
	switch {
	case k.c.Secure():
		return false
	case hasCapability(e.Capabilities, "STARTTLS") >= 0, hasCapability(e.CapabilitiesAfterModeReader, "STARTTLS") >= 0:
		return true
	case e.CapabilitiesFrom == "":
		return true // it lists nothing, which says nothing
	}
	e.STARTTLS = probe.No
	return false
}

// secure starts TLS and asks again what may differ inside.
func (k *talk) secure(ctx context.Context) (err error) {
	e := k.e
	if e.STARTTLSReply, err = k.ask(cmdStartTLS); err != nil {
		return err
	}
	e.STARTTLS = goAhead(e.STARTTLSReply)
	if e.STARTTLS != probe.Yes {
		return nil
	}
	if e.TLS, err = k.c.StartTLS(ctx); err != nil {
		return err
	}
	_, e.CapabilitiesAfterTLS, _, err = k.list(cmdCapabilities, codeCapabilities)
	k.learn()
	if err != nil {
		return err
	}
	if e.ServerDate == nil {
		if err := k.date(); err != nil {
			return err
		}
	}
	if e.ReadAccess == probe.Yes {
		return nil
	}
	return k.reading(&e.ReadReplyAfterTLS)
}
