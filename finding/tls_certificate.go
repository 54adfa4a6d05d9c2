package finding

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

const day = 24 * time.Hour

// onLeaf makes a Check of a function over the server's own certificate.
func onLeaf(check func(c probe.Certificate, t *probe.TLS, r *probe.Result) Answer) func(*probe.Result) Answer {
	return OnTLS(func(t *probe.TLS, r *probe.Result) Answer {
		if len(t.Chain) == 0 {
			return NotLearned()
		}
		return check(t.Chain[0], t, r)
	})
}

// tlsCertificate holds the rules over what is worth knowing of a certificate, and no fault.
var tlsCertificate = []Rule{
	{
		ID: "tls.cert-expires-soon", Title: "certificate expires soon", Severity: Low, CWE: []int{298},
		Summary:     "The server's certificate expires within 14 days, or a quarter of its lifetime if that is less, so that its renewal may have failed.",
		Remediation: "Renew it, and find out why that wasn't done by itself: look at the timer and the log of the ACME client.",
		References:  []string{"RFC 5280 section 4.1.2.5"},
		Check: onLeaf(func(c probe.Certificate, _ *probe.TLS, r *probe.Result) Answer {
			left := c.NotAfter.Sub(r.Started)
			if left < 0 || left >= min(14*day, c.NotAfter.Sub(c.NotBefore)/4) {
				return NotSo()
			}
			return Fires(Seen, "/evidence/tls/chain/0/not_after").With(c.NotAfter.Format("2006-01-02"))
		}),
	},
	{
		ID: "tls.cert-long-lived", Title: "certificate with a long lifetime", Severity: Info, CWE: []int{324},
		Summary:     "The certificate is of a public authority and for longer than browsers and these authorities agreed on.",
		Remediation: "Issue it anew, which gives the lifetime of today, and automate that (ACME).",
		References:  []string{"CA/Browser Forum Baseline Requirements section 6.3.2", "CA/Browser Forum ballot SC-081"},
		Check:       onLeaf(longLived),
	},
	{
		ID: "tls.cert-wildcard", Title: "wildcard certificate", Severity: Info, CWE: []int{653},
		Summary:     "The certificate is for all names of a domain, so that whoever takes its key from one server can pose as the others.",
		Remediation: "If the servers aren't all run as one, give each a certificate for its own names.",
		References:  []string{"RFC 9525 section 7.1"},
		Check: onLeaf(func(c probe.Certificate, _ *probe.TLS, _ *probe.Result) Answer {
			return FiresOn(Seen, Items(c.DNSNames, "/evidence/tls/chain/0/dns_names", func(name string) bool { return strings.HasPrefix(name, "*.") }))
		}),
	},
	{
		ID: "tls.cert-internal-names", Title: "internal names in the certificate", Severity: Low, CWE: []int{200},
		Summary:     "The certificate tells names or addresses of an internal network.",
		Remediation: "Issue a certificate for outside that has the public names alone.",
		References:  []string{"RFC 6762 appendix G", "RFC 1918", "RFC 4193"},
		Check: onLeaf(func(c probe.Certificate, _ *probe.TLS, _ *probe.Result) Answer {
			return FiresOn(Seen, append(Items(c.DNSNames, "/evidence/tls/chain/0/dns_names", internalName),
				Items(c.IPAddresses, "/evidence/tls/chain/0/ip_addresses", internalAddress)...))
		}),
	},
}

// lifetimes are how long a certificate may be for, by when it was issued (ballots SC-031 and SC-081), the latest first.
var lifetimes = []struct {
	since time.Time
	most  time.Duration
}{
	{time.Date(2029, time.March, 15, 0, 0, 0, 0, time.UTC), 47 * day},
	{time.Date(2027, time.March, 15, 0, 0, 0, 0, time.UTC), 100 * day},
	{time.Date(2026, time.March, 15, 0, 0, 0, 0, time.UTC), 200 * day},
	{time.Date(2020, time.September, 1, 0, 0, 0, 0, time.UTC), 398 * day},
	{time.Time{}, 825 * day},
}

// longLived judges certificates of public authorities: a private one sets its own terms. The trusted ones that are logged are of
// public authorities, which must log all of theirs.
func longLived(c probe.Certificate, t *probe.TLS, _ *probe.Result) Answer {
	switch {
	case t.Trusted == probe.No, c.SCTs == probe.No && t.SCTs == probe.No:
		return NotSo()
	case t.Trusted == probe.Unknown, c.SCTs != probe.Yes && t.SCTs != probe.Yes:
		return NotLearned()
	}
	lifetime := c.NotAfter.Sub(c.NotBefore)
	for _, l := range lifetimes {
		if c.NotBefore.Before(l.since) {
			continue
		}
		if lifetime <= l.most {
			break
		}
		return Fires(Seen, "/evidence/tls/chain/0/not_before", "/evidence/tls/chain/0/not_after").With(
			fmt.Sprintf("%d days, and %d were agreed on", lifetime/day, l.most/day))
	}
	return NotSo()
}

// internalDomains are those that RFC 6762 appendix G and ICANN (.internal) name for networks of one's own.
var internalDomains = []string{"local", "internal", "intranet", "private", "corp", "home", "lan", "localdomain", "home.arpa"}

// internalName reports whether a name is of an internal network: one of such a domain, or a host's alone. Localhost is
// everybody's.
func internalName(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "*."), "."))
	if name == "" || name == "localhost" || name == "localhost.localdomain" {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return internalAddress(name)
	}
	for _, domain := range internalDomains {
		if strings.HasSuffix(name, "."+domain) {
			return true
		}
	}
	return !strings.Contains(name, ".")
}

func internalAddress(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && (a.Unmap().IsPrivate() || a.IsLinkLocalUnicast())
}
