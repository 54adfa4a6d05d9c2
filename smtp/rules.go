package smtp

import (
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge SMTP evidence. Those of package finding over TLS, STARTTLS and NTLM apply as well.
var Rules = []finding.Rule{
	{
		ID: "smtp.exposed", Title: "'SMTP' port open", Severity: finding.Info,
		Summary: "A mail server answers here.",
		Remediation: "Nothing to do where this is meant to receive mail. Else bind it to the hosts that need it: Postfix inet_interfaces, " +
			"Exim local_interfaces, OpenSMTPD listen on; or close the port in the firewall.",
		References: []string{"RFC 5321 section 3.1"},
		Check: finding.On(func(e *Evidence) *finding.Proof {
			switch {
			case !e.Greeting.Is(220):
				return nil
			case e.EHLO.Is(250):
				return finding.Seen("/evidence/greeting", "/evidence/ehlo").With(e.Hostname)
			case e.HELO.Is(250):
				return finding.Seen("/evidence/greeting", "/evidence/helo").With(e.Hostname)
			}
			return nil
		}),
	},
	{
		ID: "smtp.starttls-missing", Title: "no STARTTLS", Severity: finding.Medium, CWE: []int{319},
		Summary: "The server offers no encryption, so that mail, and passwords where it takes them, cross the network in cleartext.",
		Remediation: "Install a certificate and offer STARTTLS: Postfix smtpd_tls_chain_files and smtpd_tls_security_level = may, " +
			"Exim tls_advertise_hosts = * and tls_certificate, OpenSMTPD listen on … tls pki …, Sendmail confSERVER_CERT and confSERVER_KEY.",
		References: []string{"RFC 3207", "RFC 8314 section 4", "RFC 7435"},
		Check: finding.On(func(e *Evidence) *finding.Proof {
			if e.STARTTLS != probe.No || e.STARTTLSStripped == probe.Yes {
				return nil // what was taken away on the way isn't missing
			}
			return finding.Seen("/evidence/starttls", "/evidence/ehlo")
		}),
	},
	{
		ID: "smtp.starttls-stripped", Title: "STARTTLS removed on the way", Severity: finding.High, CWE: []int{757},
		Summary: "Something between here and the server overwrites the offer of encryption, so that mail crosses the network in cleartext although the server could do better.",
		Remediation: "Turn off the SMTP inspection of the firewall in between: Cisco ASA no inspect esmtp, or allow-tls in the policy map; " +
			"Cisco PIX no fixup protocol smtp. As a sender, ask for TLS whatever is offered: Postfix smtp_tls_security_level = dane, or MTA-STS.",
		References: []string{"RFC 3207 section 6", "RFC 7672", "RFC 8461"},
		Check: finding.On(func(e *Evidence) *finding.Proof {
			if e.STARTTLSStripped != probe.Yes {
				return nil
			}
			return finding.Seen("/evidence/starttls_stripped", "/evidence/extensions")
		}),
	},
	{
		ID: "smtp.auth-cleartext", Title: "passwords asked for without TLS", Severity: finding.Medium, CWE: []int{522},
		Summary: "The server offers logins that send the password as it is before TLS is spoken, so that anybody on the way can read it.",
		Remediation: "Offer logins inside TLS only: Postfix smtpd_tls_auth_only = yes, Exim server_advertise_condition or auth_advertise_hosts " +
			"by $tls_in_cipher, OpenSMTPD listen on … tls-require auth, Sendmail confAUTH_OPTIONS with p.",
		References: []string{"RFC 4954 section 4", "RFC 8314 section 4.1", "RFC 4616 section 5"},
		Check: finding.On(func(e *Evidence) *finding.Proof {
			if e.ImplicitTLS != probe.No {
				return nil
			}
			var clear []string
			for _, m := range cleartextMechanisms {
				if slices.Contains(e.AuthMechanisms, m) {
					clear = append(clear, m)
				}
			}
			if clear == nil {
				return nil
			}
			return finding.Seen("/evidence/auth_mechanisms", "/evidence/implicit_tls").With(strings.Join(clear, ", "))
		}),
	},
	{
		ID: "smtp.vrfy", Title: "names can be verified", Severity: finding.Medium, CWE: []int{204},
		Summary: "VRFY tells which mailboxes exist, which helps those who guess passwords and send spam.",
		Remediation: "Postfix disable_vrfy_command = yes; Sendmail PrivacyOptions=novrfy or goaway; Exim: leave acl_smtp_vrfy unset. " +
			"OpenSMTPD doesn't have the command.",
		References: []string{"RFC 5321 sections 3.5 and 7.3"},
		Check: finding.On(func(e *Evidence) *finding.Proof {
			switch {
			case e.VerifiesNames == probe.Yes:
				return finding.Seen("/evidence/vrfy_reply", "/evidence/verifies_names")
			case e.VerifiesNames == probe.No:
				return nil // what it does counts for more than what it says
			case e.VRFY == probe.Yes:
				return claimed(e, "VRFY")
			}
			return nil
		}),
	},
	{
		ID: "smtp.expn", Title: "lists can be expanded", Severity: finding.Medium, CWE: []int{204},
		Summary:     "The server says that EXPN tells who is on its mailing lists and behind its aliases.",
		Remediation: "Sendmail PrivacyOptions=noexpn or goaway; Exim: leave acl_smtp_expn unset. Postfix and OpenSMTPD don't have the command.",
		References:  []string{"RFC 5321 sections 3.5 and 7.3"},
		Check: finding.On(func(e *Evidence) *finding.Proof {
			if e.EXPN != probe.Yes {
				return nil
			}
			return claimed(e, "EXPN")
		}),
	},
}

// cleartextMechanisms send the password in a form that anybody can read back (RFC 4616; LOGIN has no RFC).
var cleartextMechanisms = []string{"PLAIN", "LOGIN"}

// claimed points at the list that has the keyword.
func claimed(e *Evidence, keyword string) *finding.Proof {
	has := func(line string) bool {
		k, _ := splitExtension(line)
		return k == keyword
	}
	if slices.ContainsFunc(e.Extensions, has) {
		return finding.Claimed("/evidence/extensions")
	}
	return finding.Claimed("/evidence/extensions_after_tls")
}
