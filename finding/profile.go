package finding

import (
	"fmt"
	"slices"
	"strings"
)

// A Profile rates rules by where one stands, or by another's custom. The zero value leaves all as they are.
type Profile struct {
	Name string
	// Severities are those of the rules that it rates anew, by id. The others keep theirs.
	Severities map[string]Severity
}

// Rate returns the rules as the profile rates them. One that is rated anew no longer varies with the evidence. The slice that
// it was given is left as it is.
func (p Profile) Rate(rules []Rule) []Rule {
	rules = slices.Clone(rules)
	for i := range rules {
		p.rate(&rules[i])
	}
	return rules
}

// RateComparisons is Rate for comparisons.
func (p Profile) RateComparisons(list []Comparison) []Comparison {
	list = slices.Clone(list)
	for i := range list {
		p.rate(&list[i].Rule)
	}
	return list
}

func (p Profile) rate(r *Rule) {
	if s, ok := p.Severities[r.ID]; ok {
		r.Severity, r.Varies = s, nil
	}
}

// Profiles returns those that are built in; docs/decisions/029 says where their severities are from.
//   - internet: the rules' own severities, which are those of something that everybody reaches.
//   - internal: what only a network of one's own reaches. That a service answers there is expected; what helps an intruder
//     from one machine to the next weighs more.
//   - shadowserver: those of the reports of the Shadowserver Foundation, if there is one on the matter.
func Profiles() []Profile {
	return []Profile{
		{"internet", map[string]Severity{}},
		{"internal", map[string]Severity{
			"ftp.exposed": Low, "netbios.exposed": Info, "rsync.exposed": Low, "smb.exposed": Info, "ssh.exposed": Info,
			"netbios.info-leak": Low, "netbios.amplifier": Low, "ntlm.info": Info, "ftp.passive-address-leak": Info,
			"smtp.vrfy": Low, "smtp.expn": Low, "ssh.password-auth": Low,
			"tls.cert-untrusted": Low, "tls.cert-internal-names": Info,
			"smb.signing-optional": High, "smb.v1": High,
		}},
		{"shadowserver", map[string]Severity{
			"ftp.exposed": Info, "smtp.exposed": Info, "ssh.exposed": Info,
			"rsync.exposed": Medium, "netbios.exposed": High, "netbios.info-leak": High, "smb.exposed": High,
			"tls.sslv3": Low, "tls.export-suites": Low,
		}},
	}
}

// ParseProfile returns the built-in profile of a name.
func ParseProfile(name string) (Profile, error) {
	var names []string
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	last := len(names) - 1
	return Profile{}, fmt.Errorf("unknown profile %q: use %s or %s", name, strings.Join(names[:last], ", "), names[last])
}
