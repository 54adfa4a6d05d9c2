package ftp

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge FTP evidence.
var Rules = finding.Of("ftp", rules())

func rules() []finding.Rule {
	return []finding.Rule{
		{
			ID:       "ftp.exposed",
			Title:    "'FTP' port open",
			Severity: finding.Medium,
			Summary:  "An FTP server answers: a protocol that sends passwords and files in cleartext unless both sides agree on more.",
			Remediation: "Offer SFTP or HTTPS in its place and end the service (systemctl disable --now vsftpd, proftpd or pure-ftpd), " +
				"or let only those networks reach ports 21 and 990 that need them.",
			CWE:        []int{319},
			References: []string{"RFC 959", "RFC 2577", "Shadowserver Accessible FTP Report"},
			Check:      exposed,
		},
		{
			ID:       "ftp.anonymous",
			Title:    "'FTP (Anonymous)' port open",
			Severity: finding.Medium,
			Summary:  "Anybody may log in by the name anonymous.",
			Remediation: "vsftpd: anonymous_enable=NO. ProFTPD: remove the <Anonymous> section. Pure-FTPd: NoAnonymous yes (-E). " +
				"IIS: disable Anonymous Authentication. FileZilla Server: delete the user anonymous.",
			CWE:        []int{306},
			References: []string{"RFC 1635", "RFC 2577 section 9"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				last := "/evidence/anonymous/pass_reply"
				if e.Anonymous.PassReply == nil {
					last = "/evidence/anonymous/user_reply"
				}
				return finding.When(e.Anonymous.Login, probe.Yes, finding.Fires(finding.Seen, last, "/evidence/anonymous/login"))
			}),
		},
		{
			ID:       "ftp.cleartext-login",
			Title:    "passwords asked for without TLS",
			Severity: finding.Medium,
			Summary:  "The server asks for a password on a connection without TLS, where anybody on the way can read it.",
			Remediation: "vsftpd: ssl_enable=YES, force_local_logins_ssl=YES, force_local_data_ssl=YES. ProFTPD: TLSEngine on, TLSRequired on. " +
				"Pure-FTPd: TLS 2. IIS: Require SSL connections. FileZilla Server: Require explicit FTP over TLS.",
			CWE:        []int{319, 523},
			References: []string{"RFC 2577 sections 5 and 6", "RFC 4217 section 15.2.3", "NIST SP 800-52 Rev. 2"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				switch {
				case e.CleartextReply.Is(331, 332):
					return finding.Fires(finding.Seen, "/evidence/cleartext_reply", "/evidence/cleartext_login")
				case e.CleartextLogin == probe.Unknown && e.Anonymous.OverTLS == probe.No && e.Anonymous.UserReply.Is(331, 332):
					return finding.Fires(finding.Seen, "/evidence/anonymous/user_reply").With("for anonymous; another name got no answer")
				case e.CleartextLogin == probe.Unknown && e.ImplicitTLS != probe.Yes:
					return finding.NotLearned()
				}
				return finding.NotSo() // 230 asks for no password
			}),
		},
		{
			ID:       "ftp.tls-missing",
			Title:    "no TLS offered",
			Severity: finding.Low,
			Summary:  "The server refuses TLS, so that whatever is transferred can be read on the way.",
			Remediation: "vsftpd: ssl_enable=YES with rsa_cert_file. ProFTPD: load mod_tls, TLSEngine on. Pure-FTPd: TLS 1 or 2. " +
				"IIS: FTP SSL Settings, with a certificate.",
			CWE:        []int{319},
			References: []string{"RFC 4217 section 4", "RFC 2577 section 6"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				if e.ImplicitTLS == probe.Yes {
					return finding.NotSo()
				}
				missing := finding.Fires(finding.Seen, "/evidence/auth_reply", "/evidence/auth_tls")
				if hasFeature(e.Features, "AUTH") {
					missing = missing.With("FEAT lists AUTH, which is refused")
				}
				return finding.When(e.AuthTLS, probe.No, missing)
			}),
		},
		{
			ID:       "ftp.anonymous-listing",
			Title:    "anonymous visitors see files",
			Severity: finding.Medium,
			Summary:  "The directory that anonymous visitors enter shows what it holds.",
			Remediation: "Publish only what is meant for anybody, or hide it. vsftpd: hide_file or dirlist_enable=NO. " +
				"ProFTPD: <Limit LIST MLSD MLST NLST STAT> with DenyAll in <Anonymous>. Pure-FTPd: an empty home for the user ftp.",
			CWE:        []int{548},
			References: []string{"RFC 1635", "RFC 2577 section 9"},
			Check: finding.On(func(e *Evidence) finding.Answer {
				if e.Anonymous.Listing == nil && hides(e.Anonymous.ListingReply) {
					return finding.NotSo()
				}
				return onListing(listed)(e)
			}),
		},
		{
			ID:       "ftp.anonymous-writable",
			Title:    "anonymous visitors may write",
			Severity: finding.High,
			Summary:  "The server says that anonymous visitors may change or add files: an invitation to store malware and contraband.",
			Remediation: "vsftpd: write_enable=NO, or anon_upload_enable=NO, anon_mkdir_write_enable=NO, anon_other_write_enable=NO. " +
				"ProFTPD: <Limit WRITE> with DenyAll in <Anonymous>. Pure-FTPd: AnonymousCantUpload yes (-i). " +
				"Take the write permission of the user ftp, and of others, from the files.",
			CWE:        []int{732},
			References: []string{"RFC 3659 section 7.5.5", "RFC 2577 section 9"},
			Check:      finding.On(onListing(writable)),
		},
		{
			ID:       "ftp.passive-address-leak",
			Title:    "passive mode names another address",
			Severity: finding.Low,
			Summary:  "The server names another address than its own for data connections, most often that of a private network.",
			Remediation: "vsftpd: pasv_address. ProFTPD: MasqueradeAddress. Pure-FTPd: ForcePassiveIP (-P). " +
				"IIS: External IP Address of Firewall. Or let the firewall rewrite the reply.",
			CWE:        []int{200},
			References: []string{"RFC 959 section 4.1.2", "RFC 1918", "RFC 2428 section 3"},
			Check:      passiveLeak,
		},
	}
}

// exposed fires on the replies with which FTP servers begin. A conversation that turned out not to be FTP proves nothing, nor does
// what isn't a reply.
func exposed(r *probe.Result) finding.Answer {
	return finding.On(func(e *Evidence) finding.Answer {
		switch {
		case e.Greeting == nil || e.Greeting.Code == 0:
			return finding.NotLearned()
		case e.Greeting.Is(120), greets(e.Greeting) == probe.OutcomeOK && r.Outcome != probe.OutcomeNotProtocol:
			return finding.Fires(finding.Seen, "/evidence/greeting")
		case greets(e.Greeting) == probe.OutcomeBusy, greets(e.Greeting) == probe.OutcomeDenied:
			return finding.Fires(finding.Seen, "/evidence/greeting").With("turns clients away")
		case r.Outcome == probe.OutcomeNotProtocol && greets(e.Greeting) == probe.OutcomeOK:
			return finding.NotLearned()
		}
		return finding.NotSo()
	})(r)
}

// onListing makes a check of a function over the anonymous visitor's listing.
func onListing(check func(l *Listing) finding.Answer) func(e *Evidence) finding.Answer {
	return func(e *Evidence) finding.Answer {
		switch {
		case e.Anonymous.Login == probe.No:
			return finding.NotSo()
		case e.Anonymous.Listing == nil:
			return finding.NotLearned()
		}
		return check(e.Anonymous.Listing)
	}
}

// hides reports whether a refusal means that visitors see no files. One of now (4yz) doesn't, nor one that wants another command
// before (503) or the data inside TLS (RFC 2228 §5.1, RFC 4217 §9).
func hides(r *probe.Reply) bool {
	return r != nil && r.Code >= 500 && !r.Is(503, 521, 522, 533, 534, 535, 536, 537) && !wantsTLS(r.Text())
}

func listed(l *Listing) finding.Answer {
	var items []finding.Item
	for i, entry := range l.Entries {
		if entry.Type != TypeCurrent { // an entry in results of before version 0.1
			items = append(items, finding.Item{Value: entry.Name, Basis: fmt.Sprintf("/evidence/anonymous/listing/entries/%d", i)})
		}
	}
	var basis, detail []string
	if n := len(items); n > 0 {
		basis, detail = append(basis, "/evidence/anonymous/listing/entries"), append(detail, count(n, "entry", "entries"))
	}
	if n := l.Unparsed; n > 0 { // each may be a file
		basis = append(basis, "/evidence/anonymous/listing/unparsed_sample")
		detail = append(detail, count(n, "row", "rows")+" in an unknown format")
	}
	if basis == nil {
		return finding.NotSo()
	}
	return finding.Fires(finding.Seen, basis...).About(items...).With(strings.Join(detail, ", "))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func writable(l *Listing) finding.Answer {
	var items []finding.Item
	if l.Current != nil && l.Current.Writable == probe.Yes {
		items = append(items, finding.Item{Value: l.Current.Name, Basis: "/evidence/anonymous/listing/current/permissions"})
	}
	for i, entry := range l.Entries {
		if entry.Writable == probe.Yes {
			items = append(items, finding.Item{Value: entry.Name, Basis: fmt.Sprintf("/evidence/anonymous/listing/entries/%d/permissions", i)})
		}
	}
	return finding.FiresOn(finding.Claimed, items)
}

func passiveLeak(r *probe.Result) finding.Answer {
	return finding.On(func(e *Evidence) finding.Answer {
		switch {
		case e.Anonymous.Login == probe.No:
			return finding.NotSo()
		case e.Anonymous.PassiveAddress == "":
			return finding.NotLearned()
		}
		named, err := netip.ParseAddr(e.Anonymous.PassiveAddress)
		switch {
		case err != nil:
			return finding.NotLearned()
		case named.IsUnspecified(), named == r.Target.Addr.Addr().Unmap(): // 0.0.0.0 is how servers say "the same"
			return finding.NotSo()
		}
		at := "/evidence/anonymous/passive_address"
		return finding.Fires(finding.Seen, at, "/target/addr").About(finding.Item{Value: named.String(), Basis: at}).With(named.String())
	})(r)
}
