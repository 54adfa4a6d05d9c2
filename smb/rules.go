package smb

import (
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge this evidence. [finding.NTLM] judges what a challenge tells.
var Rules = finding.Of("smb", rules())

func rules() []finding.Rule {
	return []finding.Rule{
		{
			ID: "smb.exposed", Title: "'Samba' port open", Severity: finding.High, CWE: []int{284},
			Summary:     "A file server answers anybody from the network.",
			Remediation: "Keep ports 445 and 139 inside: block them at the border, and offer files to outsiders through a VPN. Samba: hosts allow = and interfaces = with bind interfaces only = yes in smb.conf; Windows: the scope of the firewall rules File and Printer Sharing (SMB-In and NB-Session-In).",
			References:  []string{"MS-SMB2 section 3.3.5.4", "https://learn.microsoft.com/en-us/windows-server/storage/file-server/smb-secure-traffic"},
			Check:       exposed,
		},
		{
			ID: "smb.v1", Title: "SMBv1 enabled", Severity: finding.Medium, Varies: []finding.Severity{finding.Medium, finding.High}, CWE: []int{757},
			Summary:     "The server speaks SMB1, which knows no protection against being talked down to and is deprecated since 2014.",
			Remediation: "Samba: server min protocol = SMB2_02 or later in smb.conf, its default since 4.11. Windows: Set-SmbServerConfiguration -EnableSMB1Protocol $false, and remove the feature FS-SMB1.",
			References:  []string{"MS-SMB section 1", "https://learn.microsoft.com/en-us/windows-server/storage/file-server/troubleshoot/detect-enable-and-disable-smbv1-v2-v3"},
			Check:       finding.On(version1),
		},
		{
			ID: "smb.signing-optional", Title: "signing not required", Severity: finding.Medium, CWE: []int{924},
			Summary:     "The server takes sessions without signatures, so that somebody in the middle can relay a login to it or change what is said.",
			Remediation: "Samba: server signing = mandatory in smb.conf. Windows: Set-SmbServerConfiguration -RequireSecuritySignature $true, or the policy \"Microsoft network server: Digitally sign communications (always)\".",
			References:  []string{"MS-SMB2 sections 2.2.4 and 3.2.5.2", "https://learn.microsoft.com/en-us/windows-server/storage/file-server/smb-signing-overview"},
			Check:       finding.On(signingOptional),
		},
		{
			ID: "smb.null-session", Title: "null session", Severity: finding.High, CWE: []int{306},
			Summary:     "The server gives a session to somebody without a name and a password, and access to IPC$, over which its accounts and shares can be asked for.",
			Remediation: "Samba: restrict anonymous = 2 in smb.conf on a server that is no domain controller. Windows: the policies \"Network access: Restrict anonymous access to Named Pipes and Shares\" and \"Do not allow anonymous enumeration of SAM accounts and shares\"; leave NullSessionPipes and NullSessionShares empty.",
			References:  []string{"MS-SMB2 section 2.2.6", "MS-NLMP section 3.2.5.1.2"},
			Check:       finding.On(nullSession),
		},
		{
			ID: "smb.guest", Title: "guest session", Severity: finding.High, CWE: []int{306},
			Summary:     "The server takes a stranger for its guest, who needs no password and whose session has neither signatures nor encryption.",
			Remediation: "Samba: map to guest = Never in smb.conf, and no share with guest ok = yes. Windows: disable the account Guest.",
			References:  []string{"MS-SMB2 section 2.2.6", "https://learn.microsoft.com/en-us/windows-server/storage/file-server/enable-insecure-guest-logons-smb2-and-smb3"},
			Check:       finding.On(guest),
		},
		{
			ID: "smb.shares-listed", Title: "shares listed to anybody", Severity: finding.Medium, CWE: []int{548},
			Summary:     "The server lists its shares to somebody who didn't log in.",
			Remediation: "Samba: restrict anonymous = 2 and map to guest = Never in smb.conf. Windows: the policy \"Network access: Do not allow anonymous enumeration of SAM accounts and shares\".",
			References:  []string{"MS-SRVS section 3.1.4.8"},
			Check:       finding.On(sharesListed),
		},
		{
			ID: "smb.no-encryption", Title: "no encryption offered", Severity: finding.Info, CWE: []int{319},
			Summary:     "The server doesn't offer SMB 3 encryption, so that files cross the network in cleartext.",
			Remediation: "Samba: server smb encrypt = desired or required in smb.conf (smb encrypt = before 4.15), and server max protocol = SMB3. Windows: Set-SmbServerConfiguration -EncryptData $true, on Windows Server 2012 or later.",
			References:  []string{"MS-SMB2 sections 2.2.4 and 2.2.4.1.2", "https://learn.microsoft.com/en-us/windows-server/storage/file-server/smb-security"},
			Check:       finding.On(noEncryption),
		},
	}
}

// exposed tells what answers: its title names one of those that speak SMB.
func exposed(r *probe.Result) finding.Answer {
	what := ""
	if len(r.Software) > 0 {
		what = r.Software[0].Name()
	}
	return finding.On(func(e *Evidence) finding.Answer { return answers(e, what) })(r)
}

func answers(e *Evidence, what string) finding.Answer {
	switch {
	case e.NegotiateStatus != "":
		return finding.Fires(finding.Seen, "/evidence/negotiate_status").With(what)
	case e.SMB1.Outcome == probe.OutcomeOK:
		return finding.Fires(finding.Seen, "/evidence/smb1/outcome").With(what)
	case slices.ContainsFunc(e.SessionRequests, func(r SessionRequest) bool { return r.Retarget != "" }):
		return finding.NotSo() // the file server is elsewhere
	}
	return finding.NotLearned()
}

func version1(e *Evidence) finding.Answer {
	if e.SMB1.SigningEnabled == probe.No && e.SMB1.SigningRequired == probe.No {
		unsigned := finding.Fires(finding.Seen, "/evidence/smb1/supported", "/evidence/smb1/dialect", "/evidence/smb1/signing_enabled")
		return finding.When(e.SMB1.Supported, probe.Yes, unsigned.With(e.SMB1.Dialect+" without signing").Rated(finding.High))
	}
	return finding.When(e.SMB1.Supported, probe.Yes, finding.Fires(finding.Seen, "/evidence/smb1/supported", "/evidence/smb1/dialect").With(e.SMB1.Dialect))
}

// signingOptional judges what successful replies say. A server may require it of one version and not of the other.
func signingOptional(e *Evidence) finding.Answer {
	var items []finding.Item
	if e.SigningRequired == probe.No {
		items = append(items, finding.Item{Value: "SMB " + e.PreferredDialect, Basis: "/evidence/signing_required"})
	}
	if e.SMB1.SigningRequired == probe.No {
		items = append(items, finding.Item{Value: "SMB1", Basis: "/evidence/smb1/signing_required"})
	}
	if items == nil && e.SigningRequired == probe.Unknown && e.SMB1.SigningRequired == probe.Unknown {
		return finding.NotLearned()
	}
	return finding.FiresOn(finding.Seen, items)
}

func nullSession(e *Evidence) finding.Answer {
	return finding.When(e.NullSession, probe.Yes, finding.Fires(finding.Seen, "/evidence/null_session"))
}

func guest(e *Evidence) finding.Answer {
	return finding.When(e.Guest, probe.Yes, finding.Fires(finding.Seen, "/evidence/guest"))
}

func sharesListed(e *Evidence) finding.Answer {
	switch {
	case e.Shares != nil:
	case e.NullSession == probe.No && e.Guest != probe.Yes:
		return finding.NotSo() // it refused both sessions that might list them
	default:
		return finding.NotLearned()
	}
	var items []finding.Item
	for i, s := range e.Shares {
		items = append(items, finding.Item{Value: s.Name, Basis: fmt.Sprintf("/evidence/shares/%d", i)})
	}
	return finding.FiresOn(finding.Seen, items)
}

func noEncryption(e *Evidence) finding.Answer {
	return finding.When(e.Encryption, probe.No, finding.Fires(finding.Seen, "/evidence/encryption"))
}
