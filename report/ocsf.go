package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/handclasp/handclasp/finding"
)

// An OCSF writes each finding as an event of the Open Cybersecurity Schema Framework 1.8, one JSON object a line, as soon as
// it is given: a Vulnerability Finding (class 2002) if it names vulnerabilities, and else a Compliance Finding (2003), which
// failed. One that is accepted is suppressed. Records without findings are left out.
//
// The score and the likelihood of a finding with several vulnerabilities are those of the worst, and so stand with none of
// them, but under unmapped, where all is that the schema has no place for: how it is known, the pointers to its proof, and
// which data it rests on.
type OCSF struct {
	w       io.Writer
	texts   texts
	version string
}

// NewOCSF returns a writer of events to w.
func NewOCSF(w io.Writer, o Options) *OCSF {
	return &OCSF{w: w, texts: textsOf(o.Rules), version: o.Version}
}

// Write writes one record's findings.
func (o *OCSF) Write(r finding.Record) error {
	if len(r.Findings) == 0 {
		return nil
	}
	document := documentOf(r)
	var lines []byte
	for _, f := range r.Findings {
		text, err := json.Marshal(o.event(r, f, document))
		if err != nil {
			return err
		}
		lines = append(append(lines, CleanJSON(text)...), '\n')
	}
	_, err := o.w.Write(lines)
	return err
}

// Close returns nil: everything is written already.
func (o *OCSF) Close() error { return nil }

func (o *OCSF) event(r finding.Record, f finding.Finding, document *document) *ocsfEvent {
	rule := o.texts.of(f)
	title := fit(cmp.Or(f.Title, f.ID), maxCell)
	e := &ocsfEvent{
		CategoryUID: 2, CategoryName: "Findings", ClassUID: 2003, ClassName: "Compliance Finding", ActivityID: 1, ActivityName: "Create",
		Time: r.Started.Add(r.Elapsed).UnixMilli(), StartTime: r.Started.UnixMilli(), EndTime: r.Started.Add(r.Elapsed).UnixMilli(),
		StatusID: 1, Status: "New", Message: fit(fmt.Sprintf("%s on %s", title, r.Endpoint()), maxCell),
		Metadata: ocsfMetadata{Version: "1.8.0", LogName: "handclasp", Product: ocsfProduct{Name: "handclasp", Vendor: "handclasp", Version: o.version}},
		Info: ocsfInfo{
			UID: fit(f.Key, 100), Title: title, Desc: describeFinding(rule, f), Created: r.Started.Add(r.Elapsed).UnixMilli(), LastSeen: r.Started.UnixMilli(),
			Analytic: ocsfAnalytic{UID: fit(f.ID, 100), Name: title, TypeID: 1, Type: "Rule"},
		},
		Resources: []ocsfResource{resourceOf(r)}, Unmapped: unmapped(r, f, proofs(document, f)),
	}
	severity := ocsfSeverities[f.Severity]
	e.SeverityID, e.Severity = severity.id, severity.caption
	confidence := ocsfConfidences[f.Known]
	e.ConfidenceID, e.Confidence = confidence.id, cmp.Or(confidence.caption, "Unknown")
	if f.Baseline != "" && f.Baseline != finding.New {
		e.ActivityID, e.ActivityName = 2, "Update"
	}
	if f.IsAccepted() {
		e.StatusID, e.Status = 3, "Suppressed"
	}
	if len(f.Accepted) > 0 {
		e.StatusDetail = fit("accepted: "+acceptedWords(f), maxCell)
	}
	for _, technique := range rule.Techniques {
		e.Info.Attacks = append(e.Info.Attacks, ocsfAttack{ocsfTechnique{technique}})
	}
	var what *ocsfRemediation
	if text := remedy(f, rule); text != "" {
		what = &ocsfRemediation{Desc: text, References: references(f, rule)}
	}
	if ids := vulnerabilities(f); len(ids) > 0 {
		e.ClassUID, e.ClassName = 2002, "Vulnerability Finding"
		e.Vulnerabilities = vulnerabilityObjects(r, f, rule, ids, what)
	} else {
		e.Remediation = what
		e.Compliance = &ocsfCompliance{Control: fit(f.ID, 100), Desc: rule.Summary, Requirements: rule.Controls, StatusID: 3, Status: "Fail"}
		for _, control := range rule.Controls {
			if last := strings.LastIndexByte(control, ' '); last > 0 {
				e.Compliance.Standards = append(e.Compliance.Standards, control[:last])
			}
		}
	}
	e.TypeUID = 100*e.ClassUID + e.ActivityID
	e.TypeName = e.ClassName + ": " + e.ActivityName
	e.Observables = observables(e.Resources[0], f)
	return e
}

func describeFinding(rule finding.Rule, f finding.Finding) string {
	return strings.TrimSpace(rule.Summary + " " + fit(f.Detail, maxCell))
}

func resourceOf(r finding.Record) ocsfResource {
	address := r.Target.Addr.Addr().String()
	return ocsfResource{
		UID: fit(fmt.Sprintf("%s/%s", r.Endpoint(), r.Target.Network), maxCell), Name: fit(r.Endpoint(), maxCell), Type: "Network Service",
		RoleID: 3, Role: "Affected", Hostname: fit(r.Target.Name, maxCell), IP: address,
		Data: ocsfService{r.Target.Addr.Port(), fit(string(r.Target.Network), 10), fit(r.Protocol, 40), fit(software(r), maxCell)},
	}
}

func observables(resource ocsfResource, f finding.Finding) []ocsfObservable {
	all := []ocsfObservable{
		{"resources[].ip", 2, "IP Address", resource.IP}, {"resources[].data.port", 11, "Port", strconv.Itoa(int(resource.Data.Port))},
	}
	if resource.Hostname != "" {
		all = append(all, ocsfObservable{"resources[].hostname", 1, "Hostname", resource.Hostname})
	}
	for _, id := range vulnerabilities(f) {
		all = append(all, ocsfObservable{"vulnerabilities[].cve.uid", 18, "CVE Object: uid", id})
	}
	return all
}

func vulnerabilityObjects(r finding.Record, f finding.Finding, rule finding.Rule, ids []string, what *ocsfRemediation) []ocsfVulnerability {
	var packages []ocsfPackage
	for _, s := range recognised(r, f) {
		if s.Product != "" && s.Version != "" {
			packages = append(packages, ocsfPackage{
				fit(s.Product, maxCell), fit(s.Version, maxCell), fit(s.Vendor, maxCell), fit(s.CPE, maxCell), fit(s.PackageRevision, maxCell),
			})
		}
	}
	var all []ocsfVulnerability
	for _, id := range ids {
		v := ocsfVulnerability{
			CVE: ocsfCVE{UID: id, References: []string{Link(id)}}, Title: fit(cmp.Or(f.Title, f.ID), maxCell), Desc: describeFinding(rule, f),
			Severity: f.Severity.String(), References: references(f, rule), Packages: packages, Remediation: what,
		}
		if len(ids) == 1 {
			v.CVE.of(f)
			v.Exploit = kevDay(f) != ""
		}
		all = append(all, v)
	}
	return all
}

// of takes what a finding says of its one vulnerability.
func (c *ocsfCVE) of(f finding.Finding) {
	if version := cvssVersion(f.CVSS); version != "" {
		score := within(f.Score, 10)
		c.CVSS = []ocsfCVSS{{score, score, version, f.CVSS}}
	}
	if f.EPSS > 0 {
		c.EPSS = &ocsfEPSS{strconv.FormatFloat(within(f.EPSS, 1), 'f', -1, 64)}
	}
	for _, n := range f.CWE {
		c.CWE = append(c.CWE, ocsfCWE{fmt.Sprintf("CWE-%d", n), Link(fmt.Sprintf("CWE-%d", n))})
	}
}

func unmapped(r finding.Record, f finding.Finding, proofs []string) ocsfUnmapped {
	u := ocsfUnmapped{Known: knownWord(f), Score: f.Score, EPSS: f.EPSS, KEV: kevDay(f), Data: f.Data, CWE: f.CWE, Tag: fit(r.Tag, maxCell)}
	if cvssVersion(f.CVSS) != "" {
		u.CVSS = f.CVSS
	}
	for _, pointer := range f.Basis[:min(len(f.Basis), pageProofs)] {
		u.Basis = append(u.Basis, fit(pointer, maxCell))
	}
	for _, proof := range proofs {
		u.Proof = append(u.Proof, fit(proof, maxCell))
	}
	if u.Data != nil {
		u.Data = &finding.Data{Digest: fit(u.Data.Digest, 100), Date: u.Data.Date}
	}
	return u
}
