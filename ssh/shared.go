package ssh

import (
	"fmt"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Comparisons judge this evidence beside other hosts'. They keep [finding.MaxShared] fingerprints at most.
var Comparisons = comparisons()

func comparisons() []finding.Comparison {
	return []finding.Comparison{{
		Rule: finding.Rule{
			ID: "ssh.shared-hostkey", Title: "one host key on several hosts", Severity: finding.High,
			Summary:     "Another host proved that it has the same host key, so that whoever takes it from one can pose as the other; machines cloned from one image, and devices that come with a key, have this.",
			Remediation: "If the addresses aren't all of one host, or of one cluster, give each host a key of its own: delete /etc/ssh/ssh_host_*_key* and run ssh-keygen -A, or let cloud-init do it in each clone (ssh_deletekeys: true); dropbearkey, or Dropbear's -R. If the maker chose the key, update the firmware. Tell the clients, which know the old one.",
			CWE:         []int{321},
			References:  []string{"RFC 4251 section 4.1", "NIST IR 7966"},
		},
		Marks: provenKeys,
	}}
}

// provenKeys marks a host by the keys that it proved to have: anybody can show another's. A certificate counts as the
// key in it.
func provenKeys(r *probe.Result) (marks []finding.Mark, learned bool) {
	e, ok := probe.As[*Evidence](r)
	if !ok {
		return nil, r.Protocol != protocol && finding.Speaks(r) != ""
	}
	for i, k := range e.HostKeys {
		if k.Proven == probe.Yes && k.SHA256 != "" {
			marks = append(marks, finding.Mark{Value: k.SHA256, Basis: fmt.Sprintf("/evidence/host_keys/%d/sha256", i)})
		}
	}
	return marks, e.HostKeys != nil
}
