package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A page is what the template shows. Its texts are clean; the template escapes them for HTML.
type page struct {
	Title, Policy   string
	CSS             template.CSS
	JS              template.JS
	Tally           Tally
	When, Took      string
	Severities      []pageCount
	Chart           string // in words
	States          []pageCount
	Protocols       []string
	Panels          []pagePanel
	Findings        []*pageFinding
	FindingsHidden  int
	Accepted        []*pageAccepted
	AcceptedHidden  int
	Hosts           []*pageHost
	EndpointsHidden int
	NoTranscripts   bool
}

// pageCount is a bar of the chart, or a line of a list.
type pageCount struct {
	Name    string
	Key     string
	Count   int
	Percent int // of the largest, at least 1 if there is any
}

type pageFinding struct {
	Severity                 finding.Severity
	ID, Title, Detail, Known string
	Anchor                   string
	Flags                    []pageFlag
	How                      string // in a sentence
	Summary, Remedy          string
	Knowledge                []string // of loaded data
	References               []pageLink
	Proofs                   []pageProof
	ProofsHidden             int
	Excerpt                  []spoken
	Accepted                 string // why a part is
	Endpoint                 *pageEndpoint
	key, rule                string
}

// A pageAccepted is a finding that is accepted.
type pageAccepted struct {
	Severity                       finding.Severity
	ID, Title, Detail, Anchor, Why string
	Endpoint                       *pageEndpoint
	key                            string
}

func newPageAccepted(r finding.Record, e *pageEndpoint, f finding.Finding, rule finding.Rule) *pageAccepted {
	return &pageAccepted{
		Severity: f.Severity, ID: fit(f.ID, 80), Title: fit(cmp.Or(rule.Title, f.Title, f.ID), pageWidth), Detail: fit(f.Detail, pageWidth),
		Why: fit(acceptedWords(f), pageWidth), Endpoint: e, key: keyOf(r, f),
	}
}

type pageLink struct{ Text, URL string }

type pageProof struct{ Name, Pointer, Value string }

type pageSoftware struct {
	Name, CPE, Source string
	Flags             []pageFlag
}

type pageEndpoint struct {
	Number         int // on the page, from 1
	Name, Address  string
	Protocol       string
	State, Trouble string
	Greeting       string
	Security       string
	Software       []pageSoftware
	Level, When    string
	Findings       int
	Lines          []spoken
	Hidden         int // events that aren't shown
	Transcript     bool
	Shown          []*pageFinding // of its findings, those on the page
	counts         counts
	target         probe.Target
	worst          finding.Severity
	dropped        bool
}

// compare orders endpoints on the page.
func (e *pageEndpoint) compare(other *pageEndpoint) int {
	return cmp.Or(cmp.Compare(e.target.Name, other.target.Name), e.target.Addr.Compare(other.target.Addr), cmp.Compare(e.Protocol, other.Protocol))
}

// Listed reports whether the page shows the endpoint by itself.
func (e *pageEndpoint) Listed() bool { return !e.dropped }

// knownWord says in a word how a finding is known; empty for a stored one that says something else.
func knownWord(f finding.Finding) string {
	if _, ok := knownSentences[f.Known]; ok {
		return string(f.Known)
	}
	return ""
}

// knownSentences say how a finding is known.
var knownSentences = map[finding.Known]string{
	finding.Seen:     "Seen: the conversation shows it.",
	finding.Claimed:  "Claimed: the server says so, and it wasn't tried.",
	finding.Inferred: "Inferred from a version, which a distribution may have patched.",
}

const (
	pageProofs = 8   // of a finding
	pageWidth  = 400 // columns of a text that a server chose
)

// newPageEndpoint makes what an endpoint is ranked and summed up by.
func newPageEndpoint(r finding.Record) *pageEndpoint {
	e := &pageEndpoint{Protocol: fit(r.Protocol, 40), target: r.Target}
	for i, s := range r.Software[:min(len(r.Software), pageProofs)] {
		e.Software = append(e.Software, pageSoftware{fit(s.Name(), pageWidth), fit(s.CPE, pageWidth), fit(s.Source, pageWidth), softwareFlags(r, i)})
	}
	for _, f := range finding.Open(r.Findings) {
		e.Findings, e.worst = e.Findings+1, max(e.worst, f.Severity)
		e.counts.add(f.Severity)
	}
	return e
}

// fill adds what is shown of it beside that.
func (e *pageEndpoint) fill(r finding.Record, document *document) {
	e.Name, e.Address = fit(r.Endpoint(), pageWidth), Clean(fmt.Sprintf("%s/%s", r.Target.Addr, r.Target.Network))
	e.State, e.Greeting, e.Security = string(StateOf(r)), fit(headline(r, document), pageWidth), fit(security(r), pageWidth)
	e.Level, e.When = r.Level.String(), r.Started.UTC().Format("2006-01-02 15:04:05 UTC")
	if r.Err != nil {
		e.Trouble = fit(trouble(r, document), pageWidth)
	}
	e.Lines, e.Hidden = conversation(r.Transcript, nil, linesShown)
	e.Transcript = len(r.Transcript) > 0
}

// softwareFlags are those of the findings that rest on a member of the software.
func softwareFlags(r finding.Record, i int) (all []pageFlag) {
	for _, f := range r.Findings {
		if restsOn(f, i) {
			all = join(all, flags(f))
		}
	}
	return all
}

// newPageFinding makes what a finding is ranked by.
func newPageFinding(e *pageEndpoint, f finding.Finding) *pageFinding {
	return &pageFinding{Severity: f.Severity, ID: fit(f.ID, 80), Endpoint: e}
}

// compare orders findings on the page.
func (p *pageFinding) compare(other *pageFinding) int {
	return cmp.Or(cmp.Compare(other.Severity, p.Severity), cmp.Compare(p.ID, other.ID), p.Endpoint.compare(other.Endpoint))
}

// fill adds what is shown of it beside that.
func (p *pageFinding) fill(r finding.Record, f finding.Finding, rule finding.Rule, document *document) {
	p.Title, p.Detail = fit(cmp.Or(rule.Title, f.Title, f.ID), pageWidth), fit(f.Detail, pageWidth)
	p.Known, p.How, p.Summary, p.Remedy = knownWord(f), knownSentences[f.Known], rule.Summary, remedy(f, rule)
	p.Flags, p.Accepted, p.rule, p.key = flags(f), fit(acceptedWords(f), pageWidth), f.ID, keyOf(r, f)
	p.Excerpt, p.ProofsHidden = excerpt(r.Transcript, document, f), max(0, len(f.Basis)-pageProofs)
	for _, line := range knowledge(f) {
		p.Knowledge = append(p.Knowledge, fit(line, pageWidth))
	}
	for _, ref := range readOn(f, rule) {
		p.References = append(p.References, pageLink{fit(ref, pageWidth), Link(ref)})
	}
	for _, id := range vulnerabilities(f)[:min(len(vulnerabilities(f)), pageProofs)] {
		p.References = append(p.References, pageLink{id, Link(id)})
	}
	for _, n := range f.CWE {
		ref := fmt.Sprintf("CWE-%d", n)
		p.References = append(p.References, pageLink{ref, Link(ref)})
	}
	for _, pointer := range f.Basis[:min(len(f.Basis), pageProofs)] {
		proof := pageProof{Pointer: fit(pointer, pageWidth)}
		if value, err := document.resolve(pointer); err != nil {
			proof.Name, proof.Value = "nothing", fit(err.Error(), pageWidth)
		} else {
			proof.Name, proof.Value = fit(pointerName(pointer), pageWidth), fit(describe(value), pageWidth)
		}
		p.Proofs = append(p.Proofs, proof)
	}
}

func (h *HTML) page() *page {
	p := &page{
		Title: Clean(h.title), Policy: contentPolicy(), CSS: template.CSS(pageCSS), JS: template.JS(pageJS), Tally: h.tally,
		Findings: h.findings, Hosts: hosts(h.endpoints), EndpointsHidden: h.answered - len(h.endpoints), FindingsHidden: -len(h.findings),
		Accepted: h.accepted, AcceptedHidden: h.tally.Accepted - len(h.accepted),
	}
	for _, panel := range []pagePanel{h.overview.byRule(h.findings), byHost(p.Hosts), h.overview.products()} {
		if len(panel.Lines) > 0 {
			p.Panels = append(p.Panels, panel)
		}
	}
	for _, f := range p.Findings {
		f.Endpoint.Shown = append(f.Endpoint.Shown, f)
	}
	if h.tally.Endpoints > 0 {
		p.When = h.tally.First.UTC().Format("2 January 2006, 15:04 UTC")
		p.Took = elapsed(h.tally.Last.Sub(h.tally.First))
	}
	most := 1
	for _, n := range h.tally.Findings {
		p.FindingsHidden += n
		most = max(most, n)
	}
	var words []string
	for s := finding.Critical; s >= finding.Info; s-- {
		n := h.tally.Findings[s]
		c := pageCount{Name: strings.ToUpper(s.String()[:1]) + s.String()[1:], Key: s.String(), Count: n, Percent: n * 100 / most}
		if n > 0 {
			c.Percent = max(1, c.Percent)
			words = append(words, fmt.Sprintf("%d %v", n, s))
		}
		p.Severities = append(p.Severities, c)
	}
	p.Chart = cmp.Or(strings.Join(words, ", "), "no findings")
	for _, s := range states {
		if n := h.tally.States[s]; n > 0 {
			p.States = append(p.States, pageCount{Name: string(s), Count: n})
		}
	}
	for _, f := range p.Findings {
		p.Protocols = append(p.Protocols, f.Endpoint.Protocol)
	}
	slices.Sort(p.Protocols)
	p.Protocols = slices.Compact(p.Protocols)
	p.NoTranscripts = len(h.endpoints) > 0 && !slices.ContainsFunc(h.endpoints, func(e *pageEndpoint) bool { return e.Transcript })
	return p
}
