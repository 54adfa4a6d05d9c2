package smtp

import "github.com/handclasp/handclasp/probe"

const protocol = "smtp"

// Evidence is what an SMTP server tells before anybody logs in or sends mail.
//
// If TLS is spoken from the first byte there is only one EHLO, inside TLS: what it offers is in the fields without
// "AfterTLS", and those with it stay null. A list is null if it wasn't learned, and empty if the server offers nothing of the
// kind.
type Evidence struct {
	// Greeting is the opening message, all its lines (RFC 5321 §4.2); nil if none came. One with 4yz or 5yz, such as 421 or
	// 554, turns us away, now or for good (§3.1), and nothing is asked behind it. If a teaser line with 220 is followed by a
	// refusal, as Postfix's postscreen sends it, the code is the refusal's.
	Greeting *probe.Reply `json:"greeting"`
	// Hostname is what the server calls itself in the greeting or, if that begins with something else, in the reply to EHLO or
	// HELO; empty if it doesn't.
	Hostname string `json:"hostname" diff:"identifying"`
	// ImplicitTLS says whether TLS was spoken from the first byte (RFC 8314 §3.3). It is No if the greeting came in
	// cleartext, also on a port for implicit TLS, and Unknown if neither came about.
	ImplicitTLS probe.Fact `json:"implicit_tls"`

	// EHLO is the reply to the first EHLO (RFC 5321 §4.1.1.1); nil if none was sent or answered.
	EHLO *probe.Reply `json:"ehlo"`
	// HELO is the reply to HELO, which is sent if EHLO was refused; else nil.
	HELO *probe.Reply `json:"helo"`
	// Extensions are the lines of the EHLO reply without the first, one extension each, such as "SIZE 10240000".
	Extensions []string `json:"extensions"`
	// AuthMechanisms are those offered in Extensions (RFC 4954 §3), in upper case, without repetitions.
	AuthMechanisms []string `json:"auth_mechanisms" diff:"identifying"`
	// SizeLimit is the largest message in bytes that the server says it takes, 0 if it says that there is no fixed limit
	// (RFC 1870 §3); nil if it says nothing.
	SizeLimit *uint64 `json:"size_limit"`

	// STARTTLS says whether it was offered (RFC 3207), or demanded by the reply to EHLO. It is No if the server listed what it
	// has without it, also inside an implicit TLS, or knows no EHLO; Unknown if EHLO was refused for another reason.
	STARTTLS probe.Fact `json:"starttls"`
	// STARTTLSStripped says whether something on the way overwrote the keyword with Xs, as the SMTP inspection of
	// firewalls does. It is Unknown if other keywords are overwritten, which may or may not have been STARTTLS.
	STARTTLSStripped probe.Fact `json:"starttls_stripped"`
	// STARTTLSReply is the reply to STARTTLS; nil if it wasn't sent or answered.
	STARTTLSReply *probe.Reply `json:"starttls_reply"`
	// STARTTLSInjected says whether a command sent in cleartext behind STARTTLS was answered inside TLS (CVE-2011-0411).
	// It is No if only the command behind it was answered there, or if the two together were refused for good (5yz). It is
	// Unknown unless Prober.Injection asked for it, and if they were refused for now or that handshake failed, which may have
	// other reasons.
	STARTTLSInjected probe.Fact `json:"starttls_injection"`
	// TLS is the handshake; nil if none was begun.
	TLS *probe.TLS `json:"tls"`

	// EHLOAfterTLS is the reply to the EHLO behind STARTTLS (RFC 3207 §4.2); nil if it wasn't sent or answered.
	EHLOAfterTLS *probe.Reply `json:"ehlo_after_tls"`
	// ExtensionsAfterTLS and AuthMechanismsAfterTLS are what is offered then.
	ExtensionsAfterTLS     []string `json:"extensions_after_tls"`
	AuthMechanismsAfterTLS []string `json:"auth_mechanisms_after_tls" diff:"identifying"`

	// VRFY and EXPN say whether the keyword is advertised, before TLS or after it (RFC 5321 §3.5.2); Unknown if it isn't before
	// and what is offered inside wasn't heard, or was overwritten on the way.
	VRFY probe.Fact `json:"vrfy"`
	EXPN probe.Fact `json:"expn"`
	// VRFYReply is the reply to VRFY of a random name; nil unless Prober.Verify asked for it.
	VRFYReply *probe.Reply `json:"vrfy_reply" diff:"volatile"`
	// VerifiesNames is Yes if that reply tells a name that doesn't exist from one that does, No if it doesn't (RFC 5321
	// §3.5.3).
	VerifiesNames probe.Fact `json:"verifies_names"`

	// NTLM is what the challenge tells if AUTH NTLM is offered: inside TLS if that is spoken, in cleartext if it can't be had;
	// nil if it isn't offered, or gave no challenge.
	NTLM *probe.NTLM `json:"ntlm"`
	// NTLMReply is the last reply to it; nil if it isn't offered.
	NTLMReply *probe.Reply `json:"ntlm_reply"`
}

// Protocol returns "smtp".
func (*Evidence) Protocol() string { return protocol }

// TLSHandshake implements [probe.TLSEvidence].
func (e *Evidence) TLSHandshake() *probe.TLS {
	if e == nil {
		return nil
	}
	return e.TLS
}

// OffersTLS implements [probe.OfferEvidence]. What was taken away on the way isn't a server's answer.
func (e *Evidence) OffersTLS() probe.Fact {
	switch {
	case e == nil || e.STARTTLSStripped == probe.Yes:
		return probe.Unknown
	case e.ImplicitTLS == probe.Yes:
		return probe.Yes
	}
	return e.STARTTLS
}

// STARTTLSInjection implements [probe.InjectionEvidence].
func (e *Evidence) STARTTLSInjection() probe.Fact {
	if e == nil {
		return probe.Unknown
	}
	return e.STARTTLSInjected
}

// NTLMChallenge implements [probe.NTLMEvidence].
func (e *Evidence) NTLMChallenge() *probe.NTLM {
	if e == nil {
		return nil
	}
	return e.NTLM
}
