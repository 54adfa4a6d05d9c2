package advisory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

// Rules returns the rules software.end-of-life and software.vulnerable, which say what the judge knows of a result's
// software. They follow those of the protocols:
//
//	options := &handclasp.Options{Rules: append(handclasp.Rules(), judge.Rules()...)}
func (j Judge) Rules() []finding.Rule {
	return []finding.Rule{
		{
			ID: "software.end-of-life", Title: "no more security updates",
			Severity: finding.High, Varies: []finding.Severity{finding.High, finding.Medium},
			Summary:     "What is found in this software from now on stays open, or is mended for those only who pay for it.",
			Remediation: "Move to a release that is maintained: of the distribution (do-release-upgrade, a full-upgrade of Debian, leapp), or of the product; until then buy extended updates (Ubuntu Pro, Freexian's ELTS, Red Hat's ELS, Microsoft's ESU), or let only those reach it who must.",
			CWE:         []int{1104},
			References:  []string{"https://cwe.mitre.org/data/definitions/1104.html"},
			Check:       j.check(EndOfLife),
		},
		{
			ID: "software.vulnerable", Title: "known vulnerability",
			Severity: finding.High, Varies: []finding.Severity{finding.High, finding.Critical, finding.Medium, finding.Low},
			Summary:     "The version that the server tells has vulnerabilities that are published, and that a later one mends.",
			Remediation: "Install the updates of the distribution (apt upgrade, dnf upgrade, apk upgrade) or of the product, and restart the service; what is inferred from a version alone may be mended already: look at the package's changelog.",
			CWE:         []int{1395},
			References:  []string{"https://cwe.mitre.org/data/definitions/1395.html"},
			Check:       j.check(Vulnerable),
		},
	}
}

// Findings returns what the rules find: for [handclasp.Options.Advise].
func (j Judge) Findings(r *probe.Result) []finding.Finding { return finding.Evaluate(r, j.Rules()) }

// check makes a Check of the verdicts of one kind.
func (j Judge) check(kind Kind) func(*probe.Result) finding.Answer {
	return func(r *probe.Result) finding.Answer {
		if !slices.ContainsFunc(r.Software, func(s probe.Software) bool { return s.Version != "" }) {
			return finding.NotLearned()
		}
		verdicts := j.of(SubjectOf(r), kind)
		if len(verdicts) == 0 {
			return finding.NotSo()
		}
		return answer(r.Software, verdicts)
	}
}

// SubjectOf returns what is judged of a result.
func SubjectOf(r *probe.Result) Subject {
	s := Subject{Software: r.Software, Time: r.Started}
	if e, ok := probe.As[*smb.Evidence](r); ok && e.Compression != nil {
		s.SMBCompression = probe.No
		if len(e.Compression) > 0 {
			s.SMBCompression = probe.Yes
		}
	}
	return s
}

// answer joins the verdicts of one kind, of which the first is the most severe.
func answer(software []probe.Software, verdicts []Verdict) finding.Answer {
	var basis, details []string
	var items []finding.Item
	advice := finding.Advice{Data: verdicts[0].Data}
	for _, v := range verdicts {
		if advice.Data == builtinData { // files say more of what was known than the program's version does
			advice.Data = v.Data
		}
		at := fmt.Sprintf("/software/%d/version", v.Software)
		if v.Known == finding.Claimed && software[v.Software].PackageRevision != "" {
			at = fmt.Sprintf("/software/%d/package_revision", v.Software)
		}
		basis, details = append(basis, at), append(details, v.Detail)
		if v.Kind == EndOfLife {
			items = append(items, finding.Item{Value: v.Name, Basis: at})
			advice.References = add(advice.References, v.Source)
		}
		for _, x := range v.Vulnerables {
			items = append(items, finding.Item{Value: x.ID, Basis: at})
			join(&advice, x)
		}
	}
	return finding.Fires(verdicts[0].Known, basis...).About(items...).With(strings.Join(details, "; ")).
		Rated(verdicts[0].Severity).Advised(advice)
}

// join adds a vulnerability to the advice, of which the worst score counts, and the first day.
func join(a *finding.Advice, x Vulnerability) {
	a.CVE = append(a.CVE, x.ID)
	if x.Score > a.Score {
		a.CVSS, a.Score = x.CVSS, x.Score
	}
	if day := x.KEV.Format(time.DateOnly); !x.KEV.IsZero() && (a.KEV == "" || day < a.KEV) {
		a.KEV = day
	}
	a.EPSS = max(a.EPSS, x.EPSS)
	for _, n := range x.CWE {
		if !slices.Contains(a.CWE, n) {
			a.CWE = append(a.CWE, n)
		}
	}
	for _, ref := range x.References {
		a.References = add(a.References, ref)
	}
}

// maxReferences is how many a finding has: a package without updates for years has hundreds.
const maxReferences = 20

func add(list []string, ref string) []string {
	if len(list) == maxReferences || slices.Contains(list, ref) {
		return list
	}
	return append(list, ref)
}
