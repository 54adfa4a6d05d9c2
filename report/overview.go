package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lazy"
)

// An overview counts what a page sums up by rule and by software, over all records.
type overview struct {
	rules    map[string]*pageRule
	software map[string]*pageProduct
}

// overviewKept bounds either: more than there are rules, and than there are versions of servers in most networks.
const overviewKept = 1000

type pageRule struct {
	id, title string
	counts    counts
	flags     []pageFlag
}

type pageProduct struct {
	name      string
	endpoints int
	flags     []pageFlag
}

// A pagePanel is one of the lists that sum up; More is folded.
type pagePanel struct {
	Title       string
	Lines, More []pageLine
}

type pageLine struct {
	Text, Anchor string
	Counts       []pageCount
	Total        int
	Flags        []pageFlag
}

// panelLines are those that aren't folded.
const panelLines = 8

func panel(title string, lines []pageLine) pagePanel {
	shown := min(len(lines), panelLines)
	return pagePanel{title, lines[:shown], lines[shown:]}
}

// A pageHost is a host and its endpoints.
type pageHost struct {
	Number    int // on the page, from 1
	Name      string
	Endpoints []*pageEndpoint
	counts    counts
}

// Counts are those of its findings.
func (h *pageHost) Counts() []pageCount { return h.counts.list() }

// counts are of findings, by severity.
type counts [finding.Critical + 1]int

func (c *counts) add(s finding.Severity) { c[min(max(s, 0), finding.Critical)]++ }

// compare puts first what has more of the most severe.
func (c *counts) compare(other counts) int {
	for s := finding.Critical; s >= finding.Info; s-- {
		if c[s] != other[s] {
			return other[s] - c[s]
		}
	}
	return 0
}

// list is the severe first, without those that there are none of.
func (c *counts) list() (all []pageCount) {
	for s := finding.Critical; s >= finding.Info; s-- {
		if c[s] > 0 {
			all = append(all, pageCount{Name: s.String(), Key: s.String(), Count: c[s]})
		}
	}
	return all
}

// A pageFlag marks what makes a finding, or software, urgent.
type pageFlag struct{ Key, Text, Title string }

// endOfLife is the id of package advisory's rule on life cycles.
const endOfLife = "software.end-of-life"

func flags(f finding.Finding) (all []pageFlag) {
	if f.KEV != "" {
		all = append(all, pageFlag{"kev", "exploited", "in CISA's catalogue of known exploited vulnerabilities since " + fit(f.KEV, 20)})
	}
	if f.ID == endOfLife {
		all = append(all, pageFlag{"eol", "end of life", "no more security updates"})
	}
	return all
}

// join adds those that aren't there yet.
func join(all, more []pageFlag) []pageFlag {
	for _, flag := range more {
		if !slices.ContainsFunc(all, func(f pageFlag) bool { return f.Key == flag.Key }) {
			all = append(all, flag)
		}
	}
	return all
}

// entry is the map's, made if there is room for it.
func entry[E any](m *map[string]*E, key string) *E {
	if *m == nil {
		*m = map[string]*E{}
	}
	e := (*m)[key]
	if e == nil && len(*m) < overviewKept {
		e = new(E)
		(*m)[key] = e
	}
	return e
}

func (o *overview) add(r finding.Record, e *pageEndpoint, texts texts) {
	for _, f := range finding.Open(r.Findings) {
		if rule := entry(&o.rules, f.ID); rule != nil {
			rule.id, rule.title = f.ID, cmp.Or(texts.of(f).Title, f.Title, f.ID)
			rule.flags = join(rule.flags, flags(f))
			rule.counts.add(f.Severity)
		}
	}
	seen := map[string]bool{}
	for _, s := range e.Software {
		if seen[s.Name] {
			continue
		}
		seen[s.Name] = true
		if product := entry(&o.software, s.Name); product != nil {
			product.name = s.Name
			product.endpoints++
			product.flags = join(product.flags, s.Flags)
		}
	}
}

// byRule lists the rules, the severe and frequent first, each with a link to its first finding on the page.
func (o *overview) byRule(shown []*pageFinding) pagePanel {
	first := map[string]string{}
	for _, f := range shown {
		first[f.rule] = cmp.Or(first[f.rule], f.Anchor)
	}
	var lines []pageLine
	for _, rule := range slices.SortedFunc(maps.Values(o.rules), func(a, b *pageRule) int {
		return cmp.Or(a.counts.compare(b.counts), cmp.Compare(a.id, b.id))
	}) {
		lines = append(lines, pageLine{Text: fit(rule.title, pageWidth), Anchor: first[rule.id], Flags: rule.flags, Counts: rule.counts.list()})
	}
	return panel("By finding", lines)
}

// products lists the software, the urgent and frequent first.
func (o *overview) products() pagePanel {
	var lines []pageLine
	for _, p := range slices.SortedFunc(maps.Values(o.software), func(a, b *pageProduct) int {
		return cmp.Or(cmp.Compare(len(b.flags), len(a.flags)), cmp.Compare(b.endpoints, a.endpoints), strings.Compare(a.name, b.name))
	}) {
		lines = append(lines, pageLine{Text: p.name, Total: p.endpoints, Flags: p.flags})
	}
	return panel("Software", lines)
}

// hosts groups endpoints that are in order.
func hosts(endpoints []*pageEndpoint) (all []*pageHost) {
	for _, e := range endpoints {
		name := cmp.Or(e.target.Name, e.target.Addr.Addr().String())
		if len(all) == 0 || all[len(all)-1].Name != fit(name, pageWidth) {
			all = append(all, &pageHost{Number: len(all) + 1, Name: fit(name, pageWidth)})
		}
		h := all[len(all)-1]
		h.Endpoints = append(h.Endpoints, e)
		for s, n := range e.counts {
			h.counts[s] += n
		}
	}
	return all
}

// byHost lists the hosts with findings, those with the most severe first.
func byHost(all []*pageHost) pagePanel {
	found := slices.DeleteFunc(slices.Clone(all), func(h *pageHost) bool { return h.counts == counts{} })
	slices.SortStableFunc(found, func(a, b *pageHost) int { return a.counts.compare(b.counts) })
	var lines []pageLine
	for _, h := range found {
		lines = append(lines, pageLine{Text: h.Name, Anchor: fmt.Sprintf("host-%d", h.Number), Counts: h.Counts()})
	}
	return panel("By host", lines)
}

var keyForm = lazy.Pattern(`^k1:[0-9a-f]{32}$`)

// keyOf is the finding's key, or what it should be.
func keyOf(r finding.Record, f finding.Finding) string {
	if keyForm().MatchString(f.Key) {
		return f.Key
	}
	return finding.Key(f.ID, r.Target)
}

// anchors names findings by their keys, so that a link into a page holds in the next one as well.
func anchors() func(key string) string {
	seen := map[string]int{}
	return func(key string) string {
		name := "finding-" + strings.TrimPrefix(key, "k1:")
		if seen[key]++; seen[key] > 1 {
			name += fmt.Sprintf("-%d", seen[key])
		}
		return name
	}
}
