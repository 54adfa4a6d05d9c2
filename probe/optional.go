package probe

// Evidence may implement more interfaces, by which rules and fingerprints look at it whatever its protocol. Each has a JSON
// field, in which stored evidence whose type isn't known says the same.

// A Banner is a text in which a server may name its software.
type Banner struct {
	Kind   string // what the text is, as Recog's fingerprints call it, such as "ssh.banner"
	Source string // the field of the evidence that it is from, such as "greeting"
	Text   string
}

// BannerEvidence is implemented by evidence that has banners, in the order in which they are to be trusted.
type BannerEvidence interface {
	Evidence
	Banners() []Banner
}

// TLSEvidence is implemented by evidence that may hold a TLS handshake under its JSON field "tls"; nil if TLS wasn't
// spoken.
type TLSEvidence interface {
	Evidence
	TLSHandshake() *TLS
}

// OfferEvidence is implemented by evidence that says whether TLS is offered at all.
type OfferEvidence interface {
	Evidence
	// OffersTLS is No if the server answered that it speaks no TLS on this port, so that no certificate can be wrong.
	OffersTLS() Fact
}

// InjectionEvidence is implemented by evidence that has a JSON field "starttls_injection".
type InjectionEvidence interface {
	Evidence
	// STARTTLSInjection says whether a command sent in cleartext behind STARTTLS was answered inside TLS; Unknown if it
	// wasn't tried, or if that failed for what may be another reason.
	STARTTLSInjection() Fact
}

// NTLMEvidence is implemented by evidence that may hold an NTLM challenge under its JSON field "ntlm".
type NTLMEvidence interface {
	Evidence
	// NTLMChallenge returns what the challenge told; nil if there was none.
	NTLMChallenge() *NTLM
}

// NamedEvidence is implemented by evidence of services that no prober speaks, which has a JSON field "service".
type NamedEvidence interface {
	Evidence
	// ServiceName is what speaks there, such as "http"; empty if that isn't known.
	ServiceName() string
}

// AlgorithmEvidence is implemented by evidence that holds the lists of algorithms from which both sides choose (RFC 4253 §7.1),
// under its JSON field "algorithms"; null if they weren't learned.
type AlgorithmEvidence interface {
	Evidence
	// AlgorithmList returns the list with a JSON name, such as "kex"; nil if it wasn't learned.
	AlgorithmList(name string) []string
}
