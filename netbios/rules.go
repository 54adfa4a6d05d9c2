package netbios

import (
	"fmt"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge the evidence of this package. What the name service leaks is judged if the name service was the target, not once
// more at a session that had to ask it for a name.
var Rules = finding.Of("netbios", rules())

func rules() []finding.Rule {
	return []finding.Rule{
		{
			ID: "netbios.exposed", Title: "'netbios' port open", Severity: finding.High,
			Summary: "The host answers NetBIOS, a service for the local network, to anybody.",
			Remediation: "Let no NetBIOS through the border: UDP 137 and 138, TCP 139. Windows: disable NetBIOS over TCP/IP on the adapter (the option of DHCP, or SetTcpipNetbios) " +
				"and turn the firewall rules NB-Name-In, NB-Datagram-In and NB-Session-In off. Samba: disable netbios = yes and smb ports = 445 in smb.conf, and stop nmbd.",
			CWE:        []int{200},
			References: []string{"RFC 1001 sections 15 and 16", "RFC 1002 sections 4.2.18 and 4.3", "MS-NBTE"},
			Check:      finding.On(exposed),
		},
		{
			ID: "netbios.info-leak", Title: "host, domain, user names, MAC", Severity: finding.High,
			Summary: "The name service tells anybody the host's and its domain's names, its role, and with them who is logged in or the hardware address.",
			Remediation: "Block UDP 137 at the border. Windows: disable NetBIOS over TCP/IP on the adapter that faces the network. Samba: disable netbios = yes in smb.conf, " +
				"or bind nmbd inside by interfaces and bind interfaces only = yes.",
			CWE:        []int{497},
			References: []string{"RFC 1002 section 4.2.18"},
			Check:      onNameService(infoLeak),
		},
		{
			ID: "netbios.amplifier", Title: "reflects more than it gets", Severity: finding.Medium,
			Summary: "The name service answers a small datagram, whose sender anybody can forge, with more than three times as many bytes, which floods a third party.",
			Remediation: "Block UDP 137 at the border, in both directions. Samba: disable netbios = yes, or interfaces and bind interfaces only = yes in smb.conf. " +
				"Windows: disable NetBIOS over TCP/IP, or limit the firewall rule NB-Name-In to the local subnet.",
			CWE: []int{406},
			References: []string{
				"CISA TA14-017A, UDP-Based Amplification Attacks", "Rossow, Amplification Hell, NDSS 2014", "RFC 9000 section 8.1", "BCP 38",
			},
			Check: onNameService(amplifier),
		},
	}
}

// tolerable is the factor up to which an answer to an unproven address is tolerated: QUIC's limit (RFC 9000 §8.1). A node
// with more than two names is above it.
const tolerable = 3

// onNameService makes a check of a function over the answer of the name service. One that was cut short, a failure of the server
// (RFC 1002 §4.2.6: 2) and a refusal (5) say of nothing that it isn't so.
func onNameService(check func(e *Evidence) finding.Answer) func(*probe.Result) finding.Answer {
	return func(r *probe.Result) finding.Answer {
		return finding.On(func(e *Evidence) finding.Answer {
			if r.Target.Network != probe.UDP {
				return finding.NotSo()
			}
			if a := check(e); a.Proof() != nil || e.ResponseBytes > 0 && e.ResponseCode != 2 && e.ResponseCode != 5 && !e.Truncated {
				return a
			}
			return finding.NotLearned()
		})(r)
	}
}

func exposed(e *Evidence) finding.Answer {
	switch {
	case e.Session != "":
		return finding.Fires(finding.Seen, "/evidence/session").With("session service")
	case len(e.Names) > 0:
		return finding.Fires(finding.Seen, "/evidence/names").With("name service")
	case e.ResponseBytes > 0 && e.ResponseCode == 0: // it has no names, or they were cut off
		return finding.Fires(finding.Seen, "/evidence/response_bytes").With("name service")
	}
	return finding.NotLearned()
}

func infoLeak(e *Evidence) finding.Answer {
	var items []finding.Item
	for _, told := range []struct{ field, value string }{
		{"computer", e.Computer}, {"workgroup", e.Workgroup}, {"user", e.User}, {"mac", e.MAC},
	} {
		if told.value != "" {
			items = append(items, finding.Item{Value: told.value, Basis: "/evidence/" + told.field})
		}
	}
	switch {
	case e.DomainController == probe.Yes:
		items = append(items, finding.Item{Value: "a domain controller", Basis: "/evidence/domain_controller"})
	case len(items) == 0 && len(e.Names) > 0:
		return finding.Fires(finding.Seen, "/evidence/names/0/name")
	}
	return finding.FiresOn(finding.Seen, items)
}

func amplifier(e *Evidence) finding.Answer {
	if e.Amplification <= tolerable {
		return finding.NotSo()
	}
	return finding.Fires(finding.Seen, "/evidence/amplification", "/evidence/response_bytes").With(fmt.Sprintf("%.1f times", e.Amplification))
}
