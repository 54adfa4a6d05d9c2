package report

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lazy"
)

// texts are what today's rules say of a finding that may have been stored by an older version.
type texts map[string]finding.Rule

func textsOf(rules []finding.Rule) texts {
	t := make(texts, len(rules))
	for _, r := range rules {
		t[r.ID] = r
	}
	return t
}

// of returns the rule that f is of.
func (t texts) of(f finding.Finding) finding.Rule {
	if r, ok := t[f.ID]; ok {
		return r
	}
	return unknownRule(f)
}

// unknownRule is what f says of a rule that today's catalogue doesn't have.
func unknownRule(f finding.Finding) finding.Rule {
	return finding.Rule{ID: f.ID, Title: f.Title, Severity: f.Severity, CWE: f.CWE}
}

var (
	rfc  = lazy.Pattern(`^RFC (\d+)(?: sections? (\d+(?:\.\d+)*))?`)
	cve  = lazy.Pattern(`^CVE-\d{4}-\d{4,}`)
	cwe  = lazy.Pattern(`^CWE-(\d+)$`)
	cert = lazy.Pattern(`VU#(\d+)`)
	nist = lazy.Pattern(`^NIST SP (\d+-\d+)( Part (\d+))?(?: Rev\. (\d+))?`)
)

// Link returns where one of a rule's references can be read, such as "RFC 959 section 4.1.2", "CVE-2011-0411", "CWE-319" or
// a URL; "" if only a person would know.
func Link(reference string) string {
	if m := rfc().FindStringSubmatch(reference); m != nil {
		if m[2] == "" {
			return "https://www.rfc-editor.org/rfc/rfc" + m[1]
		}
		return fmt.Sprintf("https://www.rfc-editor.org/rfc/rfc%s#section-%s", m[1], m[2])
	}
	if id := cve().FindString(reference); id != "" {
		return "https://www.cve.org/CVERecord?id=" + id
	}
	if m := cwe().FindStringSubmatch(reference); m != nil {
		return "https://cwe.mitre.org/data/definitions/" + m[1] + ".html"
	}
	if m := cert().FindStringSubmatch(reference); m != nil {
		return "https://www.kb.cert.org/vuls/id/" + m[1]
	}
	if m := nist().FindStringSubmatch(reference); m != nil {
		doi := "https://doi.org/10.6028/NIST.SP." + m[1]
		if m[3] != "" {
			doi += "pt" + m[3]
		}
		if m[4] != "" {
			doi += "r" + m[4]
		}
		return doi
	}
	if u, err := url.Parse(reference); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(reference, " <>\"") {
		return reference
	}
	return ""
}
