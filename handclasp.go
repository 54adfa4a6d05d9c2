package handclasp

import (
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/keys"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

// Probers returns every prober that is built in.
func Probers() []probe.Prober {
	return []probe.Prober{ftp.Prober{}, smtp.Prober{}, nntp.Prober{}, rsync.Prober{}, netbios.Prober{}, smb.Prober{}, ssh.Prober{}}
}

// Comparisons returns every rule that is built in and judges results in the light of each other.
func Comparisons() []finding.Comparison {
	comparisons := append(slices.Clone(ssh.Comparisons), finding.SharedTLSKey(), sameMachine())
	for i := range comparisons {
		comparisons[i].Rule = finding.Described([]finding.Rule{comparisons[i].Rule})[0]
	}
	return comparisons
}

// Rules returns every rule that is built in: those of each protocol, and those that judge several.
func Rules() []finding.Rule {
	rules := slices.Concat(ftp.Rules, smtp.Rules, nntp.Rules, rsync.Rules, netbios.Rules, smb.Rules, ssh.Rules, finding.TLS, keys.Rules, finding.STARTTLS, finding.NTLM)
	exposed := slices.DeleteFunc(slices.Clone(rules), func(r finding.Rule) bool { return !strings.HasSuffix(r.ID, ".exposed") })
	return finding.Described(append(rules, finding.OddPort(Probers(), exposed)))
}
