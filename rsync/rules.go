package rsync

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge the evidence of this package. Certificates and TLS versions are judged by the rules that all protocols
// share.
var Rules = finding.Of("rsync", rules())

func rules() []finding.Rule {
	return []finding.Rule{
		{
			ID: "rsync.exposed", Title: "'RSYNCD' port open", Severity: finding.Medium,
			Summary:     "An rsync daemon greets anybody from the network; it sends files in cleartext unless TLS is put in front of it.",
			Remediation: "Let the firewall admit its clients only, or bind it by address = 127.0.0.1 in rsyncd.conf and run rsync over SSH; hosts allow names the clients of each module. If nobody uses it, stop it: systemctl disable --now rsync (on Debian; rsyncd elsewhere), the rsync service of a storage device's settings.",
			CWE:         []int{319},
			References:  []string{"RFC 5781", "rsyncd.conf(5)"},
			Check:       finding.On(exposed),
		},
		{
			ID: "rsync.module-list", Title: "modules listed", Severity: finding.Low,
			Summary:     "The daemon tells anybody which folders it serves, and so where to look.",
			Remediation: "rsyncd.conf: list = no, for all modules above the first of them, or in each that isn't meant for the public. A hidden module still needs hosts allow and auth users.",
			CWE:         []int{548},
			References:  []string{"rsyncd.conf(5)"},
			Check:       finding.On(moduleList),
		},
		{
			ID: "rsync.module-open", Title: "a module without a password", Severity: finding.High,
			Summary:     "The daemon lets anybody into a module without a password, to read its files, and to change them if the module isn't read only.",
			Remediation: "rsyncd.conf: auth users and secrets file in the module (strict modes = yes, the file's mode 600), hosts allow for its clients, read only = yes if nobody is to write. On a storage device: an rsync account, and access by address.",
			CWE:         []int{306},
			References:  []string{"rsyncd.conf(5)"},
			Needs:       finding.Needs{Level: probe.LevelAnonymous},
			Check:       finding.On(moduleOpen),
		},
		{
			ID: "rsync.weak-auth-digest", Title: "only MD4/MD5 for passwords", Severity: finding.Low,
			Summary:     "The daemon knows no SHA-2 digest for the proof of a password, so that one that was listened to can be guessed faster.",
			Remediation: "Update to rsync 3.2.7 or later, built with OpenSSL, which adds SHA-256 and SHA-512; from 3.5.0 on, auth digest = sha256 in rsyncd.conf refuses less. Better, let clients come over SSH or TLS (rsync-ssl).",
			CWE:         []int{328},
			References:  []string{"RFC 6150", "RFC 6151", "rsyncd.conf(5)"},
			Check:       finding.On(weakDigest),
		},
		{
			ID: "rsync.outdated", Title: "older than the January 2025 fixes", Severity: finding.High,
			Summary:     "The daemon speaks a protocol older than that of rsync 3.4.0, which fixed flaws by which anybody who may read a module reads the server's memory too and, in 3.2.7 and 3.3.0, takes it over.",
			Remediation: "Update to rsync 3.4.1 or later, or to a patched package of the distribution: Debian's greets with 32 as well, and one that keeps the old number makes this finding wrong. Until then: hosts allow, and auth users in every module.",
			CWE:         []int{122},
			References:  []string{"CVE-2024-12084", "CVE-2024-12085", "CERT/CC VU#952657"},
			Check:       finding.On(outdated),
		},
	}
}

func exposed(e *Evidence) finding.Answer {
	if e.ProtocolVersion == 0 && (e.Error == "" || e.Error != e.Greeting) { // no daemon but rsync's refuses so
		return finding.NotLearned()
	}
	return finding.Fires(finding.Seen, "/evidence/greeting")
}

func moduleList(e *Evidence) finding.Answer {
	var items []finding.Item
	for i, m := range e.Modules {
		if m.Listed == probe.Yes {
			items = append(items, finding.Item{Value: m.Name, Basis: fmt.Sprintf("/evidence/modules/%d", i)})
		}
	}
	n := len(items)
	switch listed := finding.Fires(finding.Seen, "/evidence/modules").About(items...); {
	case n == 0 && e.Listing == probe.Unknown:
		return finding.NotLearned()
	case n == 0:
		return finding.NotSo()
	case n == 1:
		return listed.With("1 module")
	case e.ModulesTruncated:
		return listed.With(fmt.Sprintf("more than %d modules", n))
	default:
		return listed.With(fmt.Sprintf("%d modules", n))
	}
}

// moduleOpen doesn't fire for a daemon that lets anybody into a module that doesn't exist: its word proves nothing.
func moduleOpen(e *Evidence) finding.Answer {
	if e.AbsentAccess == AccessOpen {
		return finding.NotLearned()
	}
	var items []finding.Item
	asked := e.Listing != probe.Unknown // no module, so none that is open
	for i, m := range e.Modules {
		switch m.Access {
		case AccessOpen:
			items = append(items, finding.Item{Value: m.Name, Basis: fmt.Sprintf("/evidence/modules/%d/reply", i)})
		case AccessAuth, AccessDenied, AccessUnknown:
		default:
			asked = false
		}
	}
	if len(items) == 0 && !asked {
		return finding.NotLearned()
	}
	return finding.FiresOn(finding.Seen, items)
}

// weakDigest knows what a missing list means: negotiate_daemon_auth in rsync's compat.c.
func weakDigest(e *Evidence) finding.Answer {
	strong := func(d string) bool { return d == "sha256" || d == "sha512" }
	switch {
	case e.ProtocolVersion == 0:
		return finding.NotLearned()
	case slices.ContainsFunc(e.Digests, strong):
		return finding.NotSo()
	case len(e.Digests) > 0:
		all := func(string) bool { return true }
		return finding.FiresOn(finding.Seen, finding.Items(e.Digests, "/evidence/digests", all))
	case e.ProtocolVersion >= subVersion:
		return finding.Fires(finding.Seen, "/evidence/greeting").With("MD5")
	}
	return finding.Fires(finding.Seen, "/evidence/greeting").With("MD4")
}

// longDigest reports whether a digest has more than 16 bytes. The overflow of CVE-2024-12084 is of a buffer of 16 by the
// longest digest that was built in, which is no longer without OpenSSL.
func longDigest(name string) bool { return name == "sha512" || name == "sha256" || name == "sha1" }

// outdated tells rsync from others that speak its protocol: gokrazy's and openrsync speak 27, as rsync 2.6.0 did, and
// none of them has rsync's words for a module that doesn't exist.
func outdated(e *Evidence) finding.Answer {
	release := releases(e.ProtocolVersion, e.Digests)
	known := strings.HasPrefix(e.AbsentReply, "@ERROR: Unknown module '")
	switch {
	case e.ProtocolVersion == 0, release != "" && !known && (e.AbsentAccess == AccessBusy || e.AbsentAccess == AccessDenied):
		return finding.NotLearned() // nor does a refusal tell whose words they are
	case release == "" || !known && (e.AbsentReply != "" || e.ProtocolVersion == 27):
		return finding.NotSo()
	}
	p := finding.Fires(finding.Inferred, "/evidence/protocol_version", "/evidence/greeting")
	if e.ProtocolVersion == 31 && slices.ContainsFunc(e.Digests, longDigest) {
		return p.With(release + ": CVE-2024-12084, CVE-2024-12085")
	}
	return p.With(release + ": CVE-2024-12085")
}
