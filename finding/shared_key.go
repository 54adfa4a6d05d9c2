package finding

import "github.com/handclasp/handclasp/probe"

// SharedTLSKey makes the rule "tls.shared-key": hosts of different names and addresses that proved to have one TLS key. What has no
// name isn't compared: addresses without names may be one service's.
func SharedTLSKey() Comparison {
	return Comparison{
		Rule: Rule{
			ID: "tls.shared-key", Title: "one TLS key on hosts of different names", Severity: Low,
			Summary:     "Another host, of another name, proved that it has the same TLS key, so that whoever takes it from one can pose as the other; devices that come with a key have this, and certificates that are copied to many hosts.",
			Remediation: "Give each host a key and a certificate of its own: an ACME client makes a new key for each (certbot --new-key). If the maker chose the key, replace it by one of yours, and update the firmware.",
			CWE:         []int{321},
			References:  []string{"RFC 9325 section 7.4", "NIST SP 800-57 Part 1 Rev. 5"},
		},
		Marks: tlsKeys,
	}
}

// tlsKeys marks a host by the key with which it completed a handshake.
func tlsKeys(r *probe.Result) (marks []Mark, learned bool) {
	t, _ := told(r, probe.TLSEvidence.TLSHandshake, "tls")
	switch {
	case t == nil:
		return nil, withoutTLS(r) == probe.No
	case t.Error != "" || t.Version == "" || len(t.Chain) == 0 || t.Chain[0].KeySHA256 == "":
		return nil, false
	case r.Target.Name == "":
		return nil, true
	}
	return []Mark{{t.Chain[0].KeySHA256, "/evidence/tls/chain/0/key_sha256"}}, true
}
