package smtp

import "github.com/handclasp/handclasp/probe"

// Evidence is what an SMTP server tells before anybody logs in or sends mail.
//
// Where TLS is spoken from the first byte there is only one EHLO, inside TLS: what it offers is in the fields without
// "AfterTLS", and those with it stay empty.
type Evidence struct {
	// Greeting is the opening message, all its lines (RFC 5321 §4.2); nil where none came. One with 421 or 554 is a
	// server that takes no mail from here (§3.1). Where a teaser line with 220 is followed by a refusal, as Postfix's
	// postscreen sends it, the code is the refusal's.
	Greeting *probe.Reply `json:"greeting"`
	// Hostname is what the server calls itself in the greeting; empty where that begins with something else.
	Hostname string `json:"hostname" diff:"identifying"`
	// ImplicitTLS says whether TLS was spoken from the first byte (RFC 8314 §3.3). It is No where the greeting came in
	// cleartext, also on a port for implicit TLS, and Unknown where neither came about.
	ImplicitTLS probe.Fact `json:"implicit_tls"`

	// EHLO is the reply to the first EHLO (RFC 5321 §4.1.1.1); nil where none was sent or answered.
	EHLO *probe.Reply `json:"ehlo"`
	// HELO is the reply to HELO, which is sent where EHLO was refused; else nil.
	HELO *probe.Reply `json:"helo"`
	// Extensions are the lines of the EHLO reply without the first, one extension each, such as "SIZE 10240000".
	Extensions []string `json:"extensions"`
	// AuthMechanisms are those offered in Extensions (RFC 4954 §3), in upper case, without repetitions.
	AuthMechanisms []string `json:"auth_mechanisms" diff:"identifying"`
	// SizeLimit is the largest message in bytes that the server says it takes, 0 where it says that there is no fixed
	// limit (RFC 1870 §3); nil where it says nothing.
	SizeLimit *uint64 `json:"size_limit"`

	// STARTTLS says whether it was offered (RFC 3207), or demanded by the reply to EHLO; Unknown where TLS is implicit.
	STARTTLS probe.Fact `json:"starttls"`
	// STARTTLSStripped says whether something on the way overwrote the keyword with Xs, as the SMTP inspection of
	// firewalls does. It is Unknown where other keywords are overwritten, which may or may not have been STARTTLS.
	STARTTLSStripped probe.Fact `json:"starttls_stripped"`
	// STARTTLSReply is the reply to STARTTLS; nil where it wasn't sent or answered.
	STARTTLSReply *probe.Reply `json:"starttls_reply"`
	// STARTTLSInjected says whether a command sent in cleartext behind STARTTLS was answered inside TLS (CVE-2011-0411).
	// It is No where only the command behind it was answered there, and where the two together were refused for good
	// (5yz). It is Unknown unless Prober.Injection asked for it, and where they were refused for now or that handshake
	// failed, which may have other reasons.
	STARTTLSInjected probe.Fact `json:"starttls_injection"`
	// TLS is the handshake; nil where none was begun.
	TLS *probe.TLS `json:"tls"`

	// EHLOAfterTLS is the reply to the EHLO behind STARTTLS (RFC 3207 §4.2); nil where it wasn't sent or answered.
	EHLOAfterTLS *probe.Reply `json:"ehlo_after_tls"`
	// ExtensionsAfterTLS and AuthMechanismsAfterTLS are what is offered then.
	ExtensionsAfterTLS     []string `json:"extensions_after_tls"`
	AuthMechanismsAfterTLS []string `json:"auth_mechanisms_after_tls" diff:"identifying"`

	// VRFY and EXPN say whether the keyword is advertised, before TLS or after it (RFC 5321 §3.5.2).
	VRFY probe.Fact `json:"vrfy"`
	EXPN probe.Fact `json:"expn"`
	// VRFYReply is the reply to VRFY of a random name; nil unless Prober.Verify asked for it.
	VRFYReply *probe.Reply `json:"vrfy_reply" diff:"volatile"`
	// VerifiesNames is Yes where that reply tells a name that doesn't exist from one that does, No where it doesn't
	// (RFC 5321 §3.5.3).
	VerifiesNames probe.Fact `json:"verifies_names"`

	// NTLM is what the challenge tells where AUTH NTLM is offered, inside TLS where that is spoken; nil where it isn't, or
	// gave no challenge.
	NTLM *probe.NTLM `json:"ntlm"`
	// NTLMReply is the last reply to it; nil where it isn't offered.
	NTLMReply *probe.Reply `json:"ntlm_reply"`
}

func newEvidence() *Evidence {
	return &Evidence{
		Extensions: []string{}, AuthMechanisms: []string{},
		ExtensionsAfterTLS: []string{}, AuthMechanismsAfterTLS: []string{},
	}
}

// Protocol returns "smtp".
func (*Evidence) Protocol() string { return "smtp" }

// TLSHandshake implements [probe.TLSEvidence].
func (e *Evidence) TLSHandshake() *probe.TLS {
	if e == nil {
		return nil
	}
	return e.TLS
}

// STARTTLSInjection implements finding.InjectionEvidence.
func (e *Evidence) STARTTLSInjection() probe.Fact {
	if e == nil {
		return probe.Unknown
	}
	return e.STARTTLSInjected
}

// NTLMChallenge implements finding.NTLMEvidence.
func (e *Evidence) NTLMChallenge() *probe.NTLM {
	if e == nil {
		return nil
	}
	return e.NTLM
}
