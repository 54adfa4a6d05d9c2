package finding

import "github.com/handclasp/handclasp/probe"

// InjectionEvidence is implemented by evidence that has a JSON field "starttls_injection".
type InjectionEvidence interface {
	probe.Evidence
	// STARTTLSInjection says whether a command sent in cleartext behind STARTTLS was answered inside TLS; Unknown where
	// it wasn't tried, or where that failed for what may be another reason.
	STARTTLSInjection() probe.Fact
}

// STARTTLS holds the rules over the command itself, for every protocol that has it.
var STARTTLS = []Rule{
	{
		ID: "starttls.injection", Title: "commands injected into TLS", Severity: High, CWE: []int{74},
		Summary: "Commands that somebody on the way puts in cleartext behind STARTTLS are carried out inside TLS, as if the client had sent them.",
		Remediation: "Update the server so that it discards what it received before the handshake: Postfix 2.8, 2.7.3, 2.6.9, 2.5.12 " +
			"or 2.4.16, INN 2.5.3, or later. Where a proxy speaks TLS for the server, update the proxy.",
		References: []string{"CVE-2011-0411", "CVE-2012-3523", "CERT/CC VU#555316", "RFC 3207 sections 4.2 and 6", "RFC 4642 section 2.2.2"},
		Check: func(r *probe.Result) *Proof {
			if told(r, InjectionEvidence.STARTTLSInjection, "starttls_injection") != probe.Yes {
				return nil
			}
			return Seen("/evidence/starttls_injection")
		},
	},
}
