package finding

import "time"

// Advice is what data from elsewhere adds to a finding about software: to the rule's own CVE, CVSS, CWE and references, which
// such a rule hasn't got, and to what only findings have.
type Advice struct {
	CVE        []string
	CVSS       string
	Score      float64
	CWE        []int
	KEV        string
	EPSS       float64
	References []string
	Data       Data
}

// Data names what was known when a result was judged, so that a stored finding stays explicable.
type Data struct {
	Digest string    `json:"digest"` // such as "sha256:9f86…", or "built-in"
	Date   time.Time `json:"date"`   // how new it is
}

// add puts the advice into a finding; nil has none.
func (a *Advice) add(f *Finding) {
	if a == nil {
		return
	}
	f.CVE, f.CVSS, f.Score, f.KEV, f.EPSS, f.Data = append(f.CVE, a.CVE...), a.CVSS, a.Score, a.KEV, a.EPSS, &a.Data
	f.CWE, f.References = append(f.CWE, a.CWE...), append(f.References, a.References...)
}
