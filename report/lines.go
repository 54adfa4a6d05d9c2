package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lazy"
	"github.com/handclasp/handclasp/probe"
)

// lines are what a finding says beside its title, a fact a line, clean: where, what, by what it is proven, what is known of
// the vulnerability, and why it is accepted.
func lines(r finding.Record, f finding.Finding, document *document) []string {
	all := []string{"endpoint: " + r.Endpoint()}
	if r.Target.Name != "" {
		all = append(all, "address: "+r.Target.Addr.String())
	}
	all = append(all, "rule: "+f.ID)
	if f.Detail != "" {
		all = append(all, "detail: "+f.Detail)
	}
	all = append(append(all, proofs(document, f)...), knowledge(f)...)
	if len(f.Accepted) > 0 {
		all = append(all, "accepted: "+acceptedWords(f))
	}
	for i := range all {
		all[i] = fit(all[i], maxCell)
	}
	return all
}

// knowledge is what a finding has of data that was loaded, and which data that was.
func knowledge(f finding.Finding) (all []string) {
	if len(f.CVE) > 0 {
		all = append(all, "CVE: "+strings.Join(f.CVE, ", "))
	}
	if f.CVSS != "" {
		all = append(all, fmt.Sprintf("CVSS: %.1f, %s", f.Score, f.CVSS))
	}
	if f.KEV != "" {
		all = append(all, "known to be exploited: in CISA's catalogue since "+f.KEV)
	}
	if f.EPSS > 0 {
		all = append(all, fmt.Sprintf("EPSS: %.1f %%", 100*f.EPSS))
	}
	if f.Data != nil {
		all = append(all, "data: "+dataName(f.Data))
	}
	return all
}

// dataName says which data a finding rests on.
func dataName(d *finding.Data) string {
	return fmt.Sprintf("%s of %s", d.Digest, d.Date.UTC().Format(time.DateOnly))
}

// recognised is the software that a finding's proofs point at.
func recognised(r finding.Record, f finding.Finding) (all []probe.Software) {
	for i, s := range r.Software {
		if restsOn(f, i) {
			all = append(all, s)
		}
	}
	return all
}

// restsOn reports whether a proof points at a member of the software.
func restsOn(f finding.Finding, i int) bool {
	prefix := fmt.Sprintf("/software/%d/", i)
	return slices.ContainsFunc(f.Basis, func(pointer string) bool { return strings.HasPrefix(pointer, prefix) })
}

// mostLinks is how many references are written: those of a rule, and those of as many vulnerabilities as one reads.
const mostLinks = 40

// readOn are where to read on: what the finding says, or else today's rule. It isn't clean.
func readOn(f finding.Finding, rule finding.Rule) []string {
	list := f.References
	if len(list) == 0 {
		list = rule.References
	}
	return list[:min(len(list), mostLinks)]
}

// references are where to read on, clean, as URLs if there is one.
func references(f finding.Finding, rule finding.Rule) []string {
	var all []string
	for _, ref := range readOn(f, rule) {
		all = append(all, fit(cmp.Or(Link(ref), ref), maxCell))
	}
	return all
}

// remedy is what to do.
func remedy(f finding.Finding, rule finding.Rule) string {
	return cmp.Or(rule.Remediation, fit(f.Remediation, maxCell))
}

var (
	cvssVector  = lazy.Pattern(`^CVSS:(3\.0|3\.1|4\.0)(?:/[A-Z]{1,3}:[A-Za-z]{1,5}){8,40}$`)
	cvss2Vector = lazy.Pattern(`^AV:[LAN]/AC:[HML]/Au:[MSN]/C:[NPC]/I:[NPC]/A:[NPC]$`)
	cveID       = lazy.Pattern(`^CVE-\d{4}-\d{4,19}$`)
)

// cvssVersion is that of a vector; empty if it is none.
func cvssVersion(vector string) string {
	if m := cvssVector().FindStringSubmatch(vector); m != nil {
		return m[1]
	}
	if cvss2Vector().MatchString(vector) {
		return "2.0"
	}
	return ""
}

// vulnerabilities are the CVE ids of a finding that are some.
func vulnerabilities(f finding.Finding) (ids []string) {
	for _, id := range f.CVE {
		if cveID().MatchString(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// kevDay is the day on which CISA listed it; empty for none.
func kevDay(f finding.Finding) string {
	if _, err := time.Parse(time.DateOnly, f.KEV); err != nil {
		return ""
	}
	return f.KEV
}

// within is a score from 0 to most. A stored one may be anything.
func within(score, most float64) float64 { return min(max(score, 0), most) }
