package smtp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge SMTP evidence. Those of package finding over TLS, STARTTLS and NTLM apply as well.
var Rules = finding.Of("smtp", rules())

func rules() []finding.Rule {
	return []finding.Rule{
		{
			ID: "smtp.exposed", Title: "'SMTP' port open", Severity: finding.Info,
			Summary: "A mail server answers here.",
			Remediation: "Nothing to do if this is meant to receive mail. Else bind it to the hosts that need it: Postfix inet_interfaces, " +
				"Exim local_interfaces, OpenSMTPD listen on; or close the port in the firewall.",
			References: []string{"RFC 5321 section 3.1"},
			Check:      finding.On(exposed),
		},
		{
			ID: "smtp.starttls-missing", Title: "no STARTTLS", Severity: finding.Medium, CWE: []int{319},
			Summary: "The server offers no encryption, so that mail, and passwords if it takes them, cross the network in cleartext.",
			Remediation: "Install a certificate and offer STARTTLS: Postfix smtpd_tls_chain_files and smtpd_tls_security_level = may, " +
				"Exim tls_advertise_hosts = * and tls_certificate, OpenSMTPD listen on … tls pki …, Sendmail confSERVER_CERT and confSERVER_KEY.",
			References: []string{"RFC 3207", "RFC 8314 section 4", "RFC 7435"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				if e.STARTTLSStripped == probe.Yes || e.ImplicitTLS == probe.Yes {
					return finding.NotSo() // what was taken away on the way isn't missing
				}
				return finding.When(e.STARTTLS, probe.No, finding.Fires(finding.Seen, "/evidence/starttls", "/evidence/ehlo"))
			}),
		},
		{
			ID: "smtp.starttls-broken", Title: "STARTTLS offered and not to be had", Severity: finding.Medium, CWE: []int{319},
			Summary: "The server announces STARTTLS and then refuses it or hangs up, so that most senders fall back to cleartext, and those that insist on TLS can't deliver.",
			Remediation: "Look into the server's log for what is wrong with its certificate or key, and test with openssl s_client -starttls smtp: " +
				"Postfix smtpd_tls_chain_files, Exim tls_certificate and tls_privatekey, OpenSMTPD pki …, Sendmail confSERVER_CERT and confSERVER_KEY, readable by the server.",
			References: []string{"RFC 3207 section 4", "RFC 7435"},
			Check:      broken,
		},
		{
			ID: "smtp.starttls-stripped", Title: "STARTTLS removed on the way", Severity: finding.High, CWE: []int{757},
			Summary: "Something between here and the server overwrites the offer of encryption, so that mail crosses the network in cleartext although the server could do better.",
			Remediation: "Turn off the SMTP inspection of the firewall in between: Cisco ASA no inspect esmtp, or allow-tls in the policy map; " +
				"Cisco PIX no fixup protocol smtp. As a sender, ask for TLS whatever is offered: Postfix smtp_tls_security_level = dane, or MTA-STS.",
			References: []string{"RFC 3207 section 6", "RFC 7672", "RFC 8461"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				return finding.When(e.STARTTLSStripped, probe.Yes, finding.Fires(finding.Seen, "/evidence/starttls_stripped", "/evidence/extensions"))
			}),
		},
		{
			ID: "smtp.auth-cleartext", Title: "passwords asked for without TLS", Severity: finding.Medium, CWE: []int{522},
			Summary: "The server offers logins that send the password as it is before TLS is spoken, so that anybody on the way can read it.",
			Remediation: "Offer logins inside TLS only: Postfix smtpd_tls_auth_only = yes, Exim server_advertise_condition or auth_advertise_hosts " +
				"by $tls_in_cipher, OpenSMTPD listen on … tls-require auth, Sendmail confAUTH_OPTIONS with p.",
			References: []string{"RFC 4954 section 4", "RFC 8314 section 4.1", "RFC 4616 section 5"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				switch {
				case e.ImplicitTLS == probe.Yes:
					return finding.NotSo()
				case e.ImplicitTLS == probe.Unknown || e.AuthMechanisms == nil:
					return finding.NotLearned()
				}
				clear := func(m string) bool { return slices.Contains(cleartextMechanisms, m) }
				return finding.FiresOn(finding.Seen, finding.Items(e.AuthMechanisms, "/evidence/auth_mechanisms", clear)).Also("/evidence/implicit_tls")
			}),
		},
		{
			ID: "smtp.vrfy", Title: "names can be verified", Severity: finding.Medium, CWE: []int{204},
			Summary: "VRFY tells which mailboxes exist, which helps those who guess passwords and send spam.",
			Remediation: "Postfix disable_vrfy_command = yes; Sendmail PrivacyOptions=novrfy or goaway; Exim: leave acl_smtp_vrfy unset. " +
				"OpenSMTPD doesn't have the command.",
			References: []string{"RFC 5321 sections 3.5 and 7.3"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				switch e.VerifiesNames {
				case probe.Yes:
					return finding.Fires(finding.Seen, "/evidence/vrfy_reply", "/evidence/verifies_names")
				case probe.No:
					return finding.NotSo() // what it does counts for more than what it says
				}
				return finding.When(e.VRFY, probe.Yes, claimed(e, "VRFY"))
			}),
		},
		{
			ID: "smtp.expn", Title: "lists can be expanded", Severity: finding.Medium, CWE: []int{204},
			Summary:     "The server says that EXPN tells who is on its mailing lists and behind its aliases.",
			Remediation: "Sendmail PrivacyOptions=noexpn or goaway; Exim: leave acl_smtp_expn unset. Postfix and OpenSMTPD don't have the command.",
			References:  []string{"RFC 5321 sections 3.5 and 7.3"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				return finding.When(e.EXPN, probe.Yes, claimed(e, "EXPN"))
			}),
		},
	}
}

func exposed(e *Evidence) finding.Answer {
	switch {
	case e.Greeting == nil || e.Greeting.Code == 0: // cut, or prose
		return finding.NotLearned()
	case e.Greeting.Is(codeReady) && e.EHLO.Is(codeOK):
		return finding.Fires(finding.Seen, "/evidence/greeting", "/evidence/ehlo").With(e.Hostname)
	case e.Greeting.Is(codeReady) && e.HELO.Is(codeOK):
		return finding.Fires(finding.Seen, "/evidence/greeting", "/evidence/helo").With(e.Hostname)
	case greets(e.Greeting) == probe.OutcomeBusy, greets(e.Greeting) == probe.OutcomeDenied:
		return finding.Fires(finding.Seen, "/evidence/greeting").With("turns clients away")
	case greets(e.Greeting) == probe.OutcomeNotProtocol, e.foreign():
		return finding.NotSo() // another protocol's
	case isMail(e.Greeting): // whatever it says to EHLO, or doesn't
		return finding.Fires(finding.Seen, "/evidence/greeting").With(e.Hostname)
	case e.refusesAsMail():
		return finding.Fires(finding.Seen, "/evidence/greeting", "/evidence/ehlo").With(e.Hostname)
	}
	return finding.NotLearned()
}

// broken judges what became of a STARTTLS that was announced. A handshake that the client ended, or that came as far as the
// certificate, isn't broken here: the rules over TLS judge it.
func broken(r *probe.Result) finding.Answer {
	return finding.On(func(e *Evidence) finding.Answer {
		switch {
		case e.ImplicitTLS == probe.Yes || e.STARTTLS == probe.No:
			return finding.NotSo()
		case e.STARTTLS == probe.Unknown:
			return finding.NotLearned()
		case e.STARTTLSReply == nil && r.Outcome == probe.OutcomeClosed:
			return finding.Fires(finding.Seen, "/evidence/starttls", "/outcome").With("hangs up")
		case e.STARTTLSReply == nil || e.STARTTLSReply.Is(codeNotAvailable):
			return finding.NotLearned()
		case !e.STARTTLSReply.Is(codeReady):
			return finding.Fires(finding.Seen, "/evidence/starttls", "/evidence/starttls_reply").With(fmt.Sprintf("answers %d", e.STARTTLSReply.Code))
		case e.TLS == nil:
			return finding.NotLearned()
		case e.TLS.Error == "" || e.TLS.Version != "":
			return finding.NotSo()
		case strings.Contains(e.TLS.Error, "remote error: tls"):
			return finding.NotLearned() // an alert: it may speak what we don't
		case r.Outcome == probe.OutcomeTLS:
			return finding.Fires(finding.Seen, "/evidence/starttls_reply", "/evidence/tls/error").With(e.TLS.Error)
		}
		return finding.NotLearned()
	})(r)
}

// cleartextMechanisms send the password in a form that anybody can read back (RFC 4616; LOGIN has no RFC).
var cleartextMechanisms = []string{"PLAIN", "LOGIN"}

// claimed points at the list that has the keyword.
func claimed(e *Evidence, keyword string) finding.Answer {
	has := func(line string) bool {
		k, _ := splitExtension(line)
		return k == keyword
	}
	if slices.ContainsFunc(e.Extensions, has) {
		return finding.Fires(finding.Claimed, "/evidence/extensions")
	}
	return finding.Fires(finding.Claimed, "/evidence/extensions_after_tls")
}
