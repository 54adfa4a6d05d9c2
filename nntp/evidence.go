package nntp

import (
	"fmt"
	"time"

	"github.com/handclasp/handclasp/probe"
)

const protocol = "nntp"

// Evidence is what a news server showed. Replies are nil if the question wasn't asked or wasn't answered, lists are null if
// they weren't learned. If the server has TLS, or may have, a no in cleartext isn't the last word: ReadAccess, Feeding and Posting
// are unknown if the question wasn't answered inside.
type Evidence struct {
	// Greeting is the first line (RFC 3977 §5.1), with code 0 if it has none.
	Greeting *probe.Reply `json:"greeting"`
	// Posting says whether posting is offered: by POST in the capabilities of a reader (RFC 3977 §6.3.1) if there are any, else
	// by the server's code, yes for 200, no for 201, unknown for others. That is the greeting's, or MODE READER's if that was
	// accepted. 200 means that posting may be possible, perhaps after a login.
	Posting probe.Fact `json:"posting"`
	// ImplicitTLS says whether TLS was spoken from the first byte (RFC 8143 §2); no if a greeting came in cleartext.
	ImplicitTLS probe.Fact `json:"implicit_tls"`

	// CapabilitiesReply is the first line of the reply to the first CAPABILITIES: 101 and a list, or a refusal.
	CapabilitiesReply *probe.Reply `json:"capabilities_reply"`
	// CapabilitiesFrom is the command that gave Capabilities, "CAPABILITIES" or "LIST EXTENSIONS"; empty if none did.
	CapabilitiesFrom string `json:"capabilities_from"`
	// Capabilities are the lines of the first list (RFC 3977 §5.2), such as "LIST ACTIVE NEWSGROUPS". On a port for
	// implicit TLS they came inside TLS, as did all that follows.
	Capabilities []string `json:"capabilities"`
	// ModeReader is the reply to MODE READER (RFC 3977 §5.3).
	ModeReader *probe.Reply `json:"mode_reader"`
	// CapabilitiesAfterModeReader is the list of a server that switched modes.
	CapabilitiesAfterModeReader []string `json:"capabilities_after_mode_reader"`
	// Implementation is the argument of that capability (RFC 3977 §3.3.2), such as "INN 2.7.1"; empty if there is none.
	Implementation string `json:"implementation" diff:"identifying"`
	// AuthMethods are the arguments of AUTHINFO (RFC 4643 §2.1), "USER" and "SASL", in the lists before STARTTLS.
	// AUTHINFO without arguments, which means "not now", adds none.
	AuthMethods []string `json:"auth_methods" diff:"identifying"`
	// SASLMechanisms are the arguments of the capability SASL (RFC 4643 §2.1) in the same lists.
	SASLMechanisms []string `json:"sasl_mechanisms" diff:"identifying"`
	// Feeding says whether IHAVE or STREAMING is in any list; no is said only by a list of CAPABILITIES.
	Feeding probe.Fact `json:"feeding"`

	// ServerDate is the server's clock (RFC 3977 §7.1), in UTC, to the second; nil if it wasn't told.
	ServerDate *time.Time `json:"server_date" diff:"volatile"`
	// ReadAccess says whether an outsider may read, in cleartext or inside TLS.
	ReadAccess probe.Fact `json:"read_access"`
	// ReadReply is the reply to GROUP of a group that doesn't exist (RFC 3977 §6.1.1): 411 yes, 480 login, 483 TLS.
	ReadReply *probe.Reply `json:"read_reply" diff:"volatile"`
	// ReadReplyAfterTLS is the reply to the same question after STARTTLS. It is asked only if ReadReply isn't a yes.
	ReadReplyAfterTLS *probe.Reply `json:"read_reply_after_tls" diff:"volatile"`

	// STARTTLS says whether the server gave the go-ahead for TLS (RFC 4642 §2.2), or refused or doesn't list it.
	STARTTLS probe.Fact `json:"starttls"`
	// STARTTLSReply is the reply: 382, or a refusal such as 580.
	STARTTLSReply *probe.Reply `json:"starttls_reply"`
	// TLS is the handshake, implicit or after STARTTLS; nil if there was none.
	TLS *probe.TLS `json:"tls"`
	// CapabilitiesAfterTLS is the list after STARTTLS.
	CapabilitiesAfterTLS []string `json:"capabilities_after_tls"`
	// AuthMethodsAfterTLS are AuthMethods of that list.
	AuthMethodsAfterTLS []string `json:"auth_methods_after_tls" diff:"identifying"`
	// SASLMechanismsAfterTLS are SASLMechanisms of that list.
	SASLMechanismsAfterTLS []string `json:"sasl_mechanisms_after_tls" diff:"identifying"`
	// STARTTLSInjected says whether a command sent in cleartext behind STARTTLS was answered inside TLS (CVE-2011-0411).
	// It is no if only the command behind it was answered there, and if the two together were refused for good
	// (5xx other than 580), and unknown if [Prober.Injection] is off, they were refused for now, or the handshake failed.
	STARTTLSInjected probe.Fact `json:"starttls_injection"`

	// Groups is the beginning of the list of groups; nil below [probe.LevelAnonymous] and if the server gave none.
	Groups *Groups `json:"groups"`
}

// Groups is the answer to LIST ACTIVE (RFC 3977 §7.6.3).
type Groups struct {
	Entries []Group `json:"entries"`
	// Truncated says that the server has more groups than were read.
	Truncated bool `json:"truncated"`
	// Malformed counts the lines read that are no entry and were left out.
	Malformed int `json:"malformed"`
}

// A Group is a line of the list of groups.
type Group struct {
	Name string `json:"name"`
	// High and Low are the water marks: the numbers of the newest and oldest article. Low above High means none.
	High uint64 `json:"high"`
	Low  uint64 `json:"low"`
	// Status is "y" (posting), "n" (no posting), "m" (moderated), or one of a server's own such as "=other.group".
	Status string `json:"status"`
}

// announcesTLS reports whether a list in cleartext has STARTTLS.
func (e *Evidence) announcesTLS() bool {
	return hasCapability(e.Capabilities, "STARTTLS") >= 0 || hasCapability(e.CapabilitiesAfterModeReader, "STARTTLS") >= 0
}

// OffersTLS implements [probe.OfferEvidence].
func (e *Evidence) OffersTLS() probe.Fact {
	switch {
	case e == nil:
		return probe.Unknown
	case e.ImplicitTLS == probe.Yes, e.announcesTLS():
		return probe.Yes
	}
	return e.STARTTLS
}

// Protocol returns "nntp".
func (*Evidence) Protocol() string { return protocol }

// TLSHandshake implements [probe.TLSEvidence].
func (e *Evidence) TLSHandshake() *probe.TLS {
	if e == nil {
		return nil
	}
	return e.TLS
}

// STARTTLSInjection implements [probe.InjectionEvidence].
func (e *Evidence) STARTTLSInjection() probe.Fact {
	if e == nil {
		return probe.Unknown
	}
	return e.STARTTLSInjected
}

// lists returns the lists of capabilities and their JSON pointers.
func (e *Evidence) lists() []capabilityList {
	return []capabilityList{
		{"/evidence/capabilities", e.Capabilities},
		{"/evidence/capabilities_after_mode_reader", e.CapabilitiesAfterModeReader},
		{"/evidence/capabilities_after_tls", e.CapabilitiesAfterTLS},
	}
}

type capabilityList struct {
	pointer string
	lines   []string
}

// at returns the pointer to a line.
func (l capabilityList) at(i int) string { return fmt.Sprintf("%s/%d", l.pointer, i) }
