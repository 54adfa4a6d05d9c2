package finding

import "github.com/handclasp/handclasp/probe"

// STARTTLS holds the rules over the command itself, for every protocol that has it.
var STARTTLS = []Rule{
	{
		ID: "starttls.injection", Title: "commands injected into TLS", Severity: High, CWE: []int{74},
		Summary: "Commands that somebody on the way puts in cleartext behind STARTTLS are carried out inside TLS, as if the client had sent them.",
		Remediation: "Update the server so that it discards what it received before the handshake: Postfix 2.8, 2.7.3, 2.6.9, 2.5.12 " +
			"or 2.4.16, INN 2.5.3, or later. If a proxy speaks TLS for the server, update the proxy.",
		References: []string{"CVE-2011-0411", "CVE-2012-3523", "CERT/CC VU#555316", "RFC 3207 sections 4.2 and 6", "RFC 4642 section 2.2.2"},
		Needs:      Needs{Knob: "Injection"},
		Check: onOffer(func(r *probe.Result) Answer {
			injected, _ := told(r, probe.InjectionEvidence.STARTTLSInjection, "starttls_injection")
			return When(injected, probe.Yes, Fires(Seen, "/evidence/starttls_injection"))
		}),
	},
}
