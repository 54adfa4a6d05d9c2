package finding

import (
	"cmp"

	"github.com/handclasp/handclasp/probe"
)

// NTLMEvidence is implemented by evidence that may hold an NTLM challenge under its JSON field "ntlm".
type NTLMEvidence interface {
	probe.Evidence
	// NTLMChallenge returns what the challenge told; nil where there was none.
	NTLMChallenge() *probe.NTLM
}

// NTLM holds the rules over NTLM challenges, for every protocol that carries them.
var NTLM = []Rule{
	{
		ID: "ntlm.info", Title: "internal names through NTLM", Severity: Low, CWE: []int{497},
		Summary: "The server tells anybody who starts an NTLM login the names of its host and its domain.",
		Remediation: "Don't offer NTLM to the internet: in Exchange, turn Integrated Windows authentication off on the receive connector " +
			"(Set-ReceiveConnector -AuthMechanism); in Postfix, leave NTLM out of the SASL mechanisms (mech_list, or Dovecot auth_mechanisms); " +
			"for SMB, keep the port inside.",
		References: []string{"MS-NLMP section 2.2.2.1"},
		Check: func(r *probe.Result) *Proof {
			n := told(r, NTLMEvidence.NTLMChallenge, "ntlm")
			if n == nil {
				return nil
			}
			var basis []string
			for _, f := range []struct{ name, value string }{
				{"dns_computer", n.DNSComputer}, {"netbios_computer", n.NetBIOSComputer}, {"dns_domain", n.DNSDomain},
				{"netbios_domain", n.NetBIOSDomain}, {"dns_tree", n.DNSTree}, {"target_name", n.TargetName},
			} {
				if f.value != "" {
					basis = append(basis, "/evidence/ntlm/"+f.name)
				}
			}
			if basis == nil {
				return nil // a challenge without names tells nothing
			}
			return Seen(basis...).With(cmp.Or(n.DNSComputer, n.NetBIOSComputer, n.DNSDomain, n.NetBIOSDomain, n.DNSTree, n.TargetName))
		},
	},
}
