package finding

import (
	"cmp"

	"github.com/handclasp/handclasp/probe"
)

// NTLM holds the rules over NTLM challenges, for every protocol that carries them.
var NTLM = []Rule{
	{
		ID: "ntlm.info", Title: "internal names through NTLM", Severity: Low, CWE: []int{497},
		Summary: "The server tells anybody who starts an NTLM login the names of its host and its domain.",
		Remediation: "Don't offer NTLM to the internet: in Exchange, turn Integrated Windows authentication off on the receive connector " +
			"(Set-ReceiveConnector -AuthMechanism); in Postfix, leave NTLM out of the SASL mechanisms (mech_list, or Dovecot auth_mechanisms); " +
			"for SMB, keep the port inside.",
		References: []string{"MS-NLMP section 2.2.2.1"},
		Check: func(r *probe.Result) Answer {
			n, ok := told(r, probe.NTLMEvidence.NTLMChallenge, "ntlm")
			switch {
			case n != nil:
			case !ok && Speaks(r) != "":
				return NotSo() // a protocol without NTLM
			default:
				return NotLearned()
			}
			var items []Item
			for _, f := range []struct{ name, value string }{
				{"dns_computer", n.DNSComputer}, {"netbios_computer", n.NetBIOSComputer}, {"dns_domain", n.DNSDomain},
				{"netbios_domain", n.NetBIOSDomain}, {"dns_tree", n.DNSTree}, {"target_name", n.TargetName},
			} {
				if f.value != "" {
					items = append(items, Item{f.value, "/evidence/ntlm/" + f.name})
				}
			}
			return FiresOn(Seen, items).With(cmp.Or(n.DNSComputer, n.NetBIOSComputer, n.DNSDomain, n.NetBIOSDomain, n.DNSTree, n.TargetName))
		},
	},
}
