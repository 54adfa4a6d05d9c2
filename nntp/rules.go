package nntp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge the evidence of this package. Certificates, TLS versions and injected commands are judged by the rules
// that all protocols share.
var Rules = finding.Of("nntp", rules())

func rules() []finding.Rule {
	return []finding.Rule{
		{
			ID: "nntp.exposed", Title: "'Network News' port open", Severity: finding.Info,
			Summary:     "A news server greets anybody from the network.",
			Remediation: "If the service isn't meant for everybody, let the firewall or the listener admit its readers and peers only: bindaddress in INN's inn.conf, hosts in readers.conf; for Leafnode, the xinetd or systemd socket that starts it.",
			References:  []string{"RFC 3977 section 5.1"},
			Check:       finding.On(exposed),
		},
		{
			ID: "nntp.read-open", Title: "articles readable by anybody", Severity: finding.Low,
			Summary:     "The server lets clients that didn't log in select groups, and so read their articles.",
			Remediation: "INN: in readers.conf give an access group only to users whom an auth group with hosts: or auth: names, without a default: identity for others. Leafnode: leave allowSTRANGERS unset and limit the addresses in hosts.allow or the firewall.",
			CWE:         []int{862},
			References:  []string{"RFC 3977 section 6.1.1", "RFC 4643 section 2.2"},
			Check:       finding.On(readOpen),
		},
		{
			ID: "nntp.post-open", Title: "posting by anybody", Severity: finding.Medium,
			Summary:     "The server offers POST to clients that didn't log in, which spammers look for.",
			Remediation: "INN: in readers.conf give the access group of strangers read: and no post: or newsgroups:, so that only authenticated users may post. (An access: without P does it too, but is deprecated.)",
			CWE:         []int{862},
			References:  []string{"RFC 3977 sections 5.1.1 and 6.3.1"},
			Check:       finding.On(postOpen),
		},
		{
			ID: "nntp.feed-open", Title: "feeding by anybody", Severity: finding.Medium,
			Summary:     "The server offers IHAVE or streaming, the transfer of whole articles between servers, to a client that is no peer of it.",
			Remediation: "INN: name the peers by hostname: in incoming.conf, with a password: if their addresses change, and leave I out of access: in readers.conf.",
			CWE:         []int{862},
			References:  []string{"RFC 3977 section 6.3.2", "RFC 4644 section 2"},
			Check:       finding.On(feedOpen),
		},
		{
			ID: "nntp.auth-cleartext", Title: "passwords asked for without TLS", Severity: finding.Medium,
			Summary:     "The server takes passwords over a connection without TLS, where anybody on the way can read them.",
			Remediation: "INN: require_encryption: true in the auth groups of readers.conf (require_ssl: before INN 2.7). Cyrus IMAP: allowplaintext: no in imapd.conf. Let readers use port 563.",
			CWE:         []int{522},
			References:  []string{"RFC 4643 sections 2.1 and 2.3.2", "RFC 8143 section 2"},
			Check:       finding.On(authCleartext),
		},
		{
			ID: "nntp.starttls-missing", Title: "no STARTTLS", Severity: finding.Low,
			Summary:     "The server offers no TLS on this port, so that what is read and written here crosses the network in cleartext.",
			Remediation: "INN: tlscertfile: and tlskeyfile: in inn.conf, readable by the news user, for STARTTLS on port 119; better, nnrpd -S on port 563 for readers (RFC 8143). Cyrus IMAP: tls_server_cert and tls_server_key in imapd.conf. Leafnode: a TLS proxy such as stunnel in front of it.",
			CWE:         []int{319},
			References:  []string{"RFC 4642 section 2.1", "RFC 8143 section 2"},
			Check:       finding.On(starttlsMissing),
		},
		{
			ID: "nntp.starttls-broken", Title: "STARTTLS offered and not to be had", Severity: finding.Medium,
			Summary:     "The server lists STARTTLS and then refuses it or hangs up, so that readers fall back to cleartext or stay out.",
			Remediation: "Look into the server's log for what is wrong with its certificate or key. INN: tlscertfile: and tlskeyfile: in inn.conf, readable by the news user.",
			CWE:         []int{319},
			References:  []string{"RFC 4642 section 2.2.2"},
			Check:       starttlsBroken,
		},
	}
}

func exposed(e *Evidence) finding.Answer {
	switch {
	case e.Greeting == nil || e.Greeting.Code == 0: // cut, or prose
		return finding.NotLearned()
	case greets(e.Greeting) == probe.OutcomeNotProtocol && e.Greeting.Code < 400:
		return finding.NotSo() // another protocol's
	case greets(e.Greeting) == probe.OutcomeNotProtocol: // a refusal, whoever's
		return finding.NotLearned()
	case e.Greeting.Is(codeDiscontinued, codeNotPermitted):
		return finding.Fires(finding.Seen, "/evidence/greeting").With("turns clients away")
	}
	return finding.Fires(finding.Seen, "/evidence/greeting")
}

func readOpen(e *Evidence) finding.Answer {
	open := finding.Fires(finding.Seen, "/evidence/read_reply", "/evidence/read_access")
	if readAccess(e.ReadReply) != probe.Yes {
		open = finding.Fires(finding.Seen, "/evidence/read_reply_after_tls", "/evidence/read_access").With("inside TLS")
	}
	return finding.When(e.ReadAccess, probe.Yes, open)
}

// offers says whether a list says what is offered without a login. INN lists for readers what they may do after it: if those
// that didn't log in may not read, its POST means nothing.
func (e *Evidence) offers(list capabilityList) probe.Fact {
	if hasCapability(list.lines, "READER") < 0 && hasCapability(list.lines, "POST") < 0 {
		return probe.Yes
	}
	return e.ReadAccess
}

func postOpen(e *Evidence) finding.Answer {
	answer := finding.When(e.Posting, probe.Yes, finding.NotLearned()) // a greeting's yes is said to everybody
	if e.Posting != probe.Yes {
		return answer
	}
	for _, list := range e.lists() {
		if i := hasCapability(list.lines, "POST"); i >= 0 {
			answer = finding.When(e.offers(list), probe.Yes, finding.Fires(finding.Claimed, list.at(i), "/evidence/posting"))
			if answer.Proof() != nil {
				break
			}
		}
	}
	return answer
}

func feedOpen(e *Evidence) finding.Answer {
	var items []finding.Item
	offered := e.Feeding
	for _, list := range e.lists() {
		for _, label := range []string{"IHAVE", "STREAMING"} {
			i := hasCapability(list.lines, label)
			switch {
			case i < 0:
			case e.offers(list) == probe.Yes:
				items = append(items, finding.Item{Value: label, Basis: list.at(i)})
			default:
				offered = e.offers(list)
			}
		}
	}
	if len(items) > 0 {
		return finding.FiresOn(finding.Claimed, items)
	}
	return finding.When(offered, probe.Yes, finding.NotLearned())
}

func authCleartext(e *Evidence) finding.Answer {
	switch {
	case e.ImplicitTLS == probe.Yes:
		return finding.NotSo()
	case e.ImplicitTLS == probe.Unknown || e.AuthMethods == nil:
		return finding.NotLearned()
	}
	var items []finding.Item
	if i := slices.Index(e.AuthMethods, "USER"); i >= 0 {
		items = append(items, finding.Item{Value: "AUTHINFO USER", Basis: fmt.Sprintf("/evidence/auth_methods/%d", i)})
	}
	if slices.Contains(e.AuthMethods, "SASL") {
		// The mechanisms that show the password: RFC 4616, and LOGIN, which no RFC describes.
		for _, mechanism := range []string{"PLAIN", "LOGIN"} {
			if i := slices.Index(e.SASLMechanisms, mechanism); i >= 0 {
				items = append(items, finding.Item{Value: "AUTHINFO SASL " + mechanism, Basis: fmt.Sprintf("/evidence/sasl_mechanisms/%d", i)})
			}
		}
	}
	return finding.FiresOn(finding.Seen, items)
}

func starttlsMissing(e *Evidence) finding.Answer {
	missing := finding.NotLearned()
	switch {
	case e.ImplicitTLS == probe.Yes:
		return finding.NotSo()
	case e.ImplicitTLS == probe.Unknown:
		return missing
	case e.announcesTLS():
		return finding.NotSo() // it may be broken
	case e.STARTTLSReply != nil:
		missing = finding.Fires(finding.Seen, "/evidence/starttls_reply").With(fmt.Sprintf("answers %d", e.STARTTLSReply.Code))
	case e.CapabilitiesFrom != "":
		missing = finding.Fires(finding.Seen, "/evidence/capabilities", "/evidence/starttls").With("not in the list of " + e.CapabilitiesFrom)
	}
	return finding.When(e.STARTTLS, probe.No, missing)
}

// starttlsBroken judges what became of a STARTTLS that was listed. A refusal that wants a login first is none; an alert may
// come from a server that speaks what we don't.
func starttlsBroken(r *probe.Result) finding.Answer {
	return finding.On(func(e *Evidence) finding.Answer {
		switch {
		case e.ImplicitTLS == probe.Yes || e.CapabilitiesFrom != "" && !e.announcesTLS():
			return finding.NotSo()
		case !e.announcesTLS():
			return finding.NotLearned()
		case e.STARTTLSReply == nil && r.Outcome == probe.OutcomeClosed:
			return finding.Fires(finding.Seen, "/evidence/capabilities", "/outcome").With("hangs up")
		case e.STARTTLSReply == nil || e.STARTTLSReply.Is(codeDiscontinued, codeWantsLogin, codeLoginRejected):
			return finding.NotLearned()
		case !e.STARTTLSReply.Is(codeContinueTLS):
			return finding.Fires(finding.Seen, "/evidence/capabilities", "/evidence/starttls_reply").With(fmt.Sprintf("answers %d", e.STARTTLSReply.Code))
		case e.TLS == nil || strings.Contains(e.TLS.Error, "remote error: tls"):
			return finding.NotLearned()
		case e.TLS.Error == "" || e.TLS.Version != "":
			return finding.NotSo()
		case r.Outcome == probe.OutcomeTLS:
			return finding.Fires(finding.Seen, "/evidence/starttls_reply", "/evidence/tls/error").With(e.TLS.Error)
		}
		return finding.NotLearned()
	})(r)
}
