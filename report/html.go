package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"slices"
	"sync"

	"github.com/handclasp/handclasp/finding"
)

// What a page holds at most. Every finding costs a browser some kilobytes.
const (
	findingsShown  = 5000
	endpointsShown = 2000
)

// HTMLOptions say what a page states beside the findings.
type HTMLOptions struct {
	// Rules give findings their meaning and remedy. A finding of another rule is shown with what it says itself.
	Rules []finding.Rule
	Title string // "handclasp report" if it is empty
}

// HTML makes one page for browsers, which needs nothing beside itself: no other file, no network, and no script to be
// read, though filters and sorting are one. It is written when it is closed, with one call to Write or several.
//
// It sums up by rule, by host and by software; what is accepted is folded, and counted apart. Of what it is given it keeps the 5,000 most severe findings and 2,000 endpoints
// that answered, each with its proof and the beginning of its transcript, and counts of the rest, which the page tells: some ten
// megabytes if servers are wordy, whatever the number of records. A finding's anchor is its key, "#finding-2f6b…", and so the
// same in every page.
type HTML struct {
	w         io.Writer
	title     string
	texts     texts
	tally     Tally
	overview  overview
	findings  []*pageFinding
	accepted  []*pageAccepted
	endpoints []*pageEndpoint
	answered  int
	// What ranks behind these, or level with them, isn't shown: so many are kept already. Nil until then.
	lastFinding  *pageFinding
	lastEndpoint *pageEndpoint
}

// NewHTML returns a writer of a page to w.
func NewHTML(w io.Writer, o HTMLOptions) *HTML {
	return &HTML{w: w, title: cmp.Or(o.Title, "handclasp report"), texts: textsOf(o.Rules)}
}

// Write takes a record. It returns nil.
func (h *HTML) Write(r finding.Record) error {
	h.tally.Add(r)
	if StateOf(r) != Answered && len(r.Findings) == 0 {
		return nil
	}
	document := documentOf(r)
	e := newPageEndpoint(r)
	h.answered++
	h.overview.add(r, e, h.texts)
	shown := h.addEndpoint(e)
	for _, f := range r.Findings {
		rule := h.texts.of(f)
		if f.IsAccepted() {
			if len(h.accepted) < findingsShown {
				h.accepted = append(h.accepted, newPageAccepted(r, e, f, rule))
				shown = true
			}
			continue
		}
		if p := newPageFinding(e, f); h.lastFinding == nil || p.compare(h.lastFinding) < 0 {
			p.fill(r, f, rule, document)
			h.findings = append(h.findings, p)
			shown = true
		}
	}
	if shown {
		e.fill(r, document)
	}
	if len(h.findings) >= 2*findingsShown {
		h.cutFindings()
		h.lastFinding = h.findings[len(h.findings)-1]
	}
	return nil
}

// addEndpoint reports whether the page may list the endpoint.
func (h *HTML) addEndpoint(e *pageEndpoint) bool {
	if e.dropped = h.lastEndpoint != nil && e.worst <= h.lastEndpoint.worst; e.dropped {
		return false
	}
	h.endpoints = append(h.endpoints, e)
	if len(h.endpoints) >= 2*endpointsShown {
		h.cutEndpoints()
		h.lastEndpoint = h.endpoints[len(h.endpoints)-1]
	}
	return true
}

// cutFindings keeps the most severe findings, in the order in which a page shows them.
func (h *HTML) cutFindings() {
	slices.SortStableFunc(h.findings, (*pageFinding).compare)
	if len(h.findings) > findingsShown {
		h.findings = slices.Clone(h.findings[:findingsShown])
	}
}

// cutEndpoints keeps the endpoints with the most severe findings, and then those that came first.
func (h *HTML) cutEndpoints() {
	if len(h.endpoints) > endpointsShown {
		slices.SortStableFunc(h.endpoints, func(a, b *pageEndpoint) int { return cmp.Compare(b.worst, a.worst) })
		for _, e := range h.endpoints[endpointsShown:] {
			e.dropped = true
		}
		h.endpoints = slices.Clone(h.endpoints[:endpointsShown])
	}
}

// Close writes the page.
func (h *HTML) Close() error {
	h.cutFindings()
	h.cutEndpoints()
	slices.SortStableFunc(h.endpoints, (*pageEndpoint).compare)
	for i, e := range h.endpoints {
		e.Number = i + 1
	}
	name := anchors()
	for _, f := range h.findings {
		f.Anchor = name(f.key)
	}
	for _, f := range h.accepted {
		f.Anchor = name(f.key)
	}
	return pageTemplate().Execute(h.w, h.page())
}

//go:embed page/page.html
var pageHTML string

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageHTML)) })

// contentPolicy forbids the page everything but its own style and script: what a server said couldn't load or run
// anything even if it came through unescaped.
func contentPolicy() string {
	return "default-src 'none'; style-src '" + hash(pageCSS) + "'; script-src '" + hash(pageJS) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
