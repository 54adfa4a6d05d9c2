package handclasp

import (
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/ssh"
)

// sameMachine makes the rule "net.same-machine". It is a conclusion: a cloned machine has the same marks.
func sameMachine() finding.Comparison {
	hostKeys := ssh.Comparisons[0].Marks
	return finding.Comparison{
		Rule: finding.Rule{
			ID: "net.same-machine", Title: "one machine under several addresses", Severity: finding.Info,
			Summary:     "Another address has the same SSH host key or the same random identifier of its file server, so that both are likely one machine, or a clone of it.",
			Remediation: "If both are meant, note in the inventory that they are one. If the machine shouldn't be reached at one of them, bind the service to the other (ListenAddress in sshd_config, interfaces and bind interfaces only in smb.conf) or let the firewall refuse it. If they are clones, give each keys of its own.",
			References:  []string{"RFC 4251 section 4.1", "MS-SMB2 section 2.2.4"},
		},
		Known: finding.Inferred,
		Marks: func(r *probe.Result) (marks []finding.Mark, learned bool) {
			e, ok := probe.As[*smb.Evidence](r)
			switch {
			case !ok:
				return hostKeys(r)
			case !randomGUID(e.ServerGUID):
				return nil, e.ServerGUID != ""
			}
			return []finding.Mark{{Value: e.ServerGUID, Basis: "/evidence/server_guid"}}, true
		},
	}
}

// randomGUID reports whether a GUID says that it was drawn at random (RFC 9562 §5.4), in the order of bytes in which it is shown.
// Samba's is its NetBIOS name, of 15 bytes at most and a zero, which many machines share.
func randomGUID(guid string) bool {
	const version, variant = 14, 19
	return len(guid) == 36 && guid[version] == '4' && strings.IndexByte("89ab", guid[variant]) >= 0 && !strings.HasSuffix(guid, "00")
}
