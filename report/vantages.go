package report

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
)

// Vantages find the endpoints of which results from several places don't say the same. Give all entries of a scan to Learn, and then
// again to Collect: so only what disagrees is kept in memory, beside 48 bytes an endpoint.
type Vantages struct {
	names    map[string]string // of vantages, by the scan that results name
	first    map[[16]byte]sight
	disputed map[[16]byte]*Disagreement
}

// A sight is how an endpoint looked from the first place.
type sight struct {
	vantage string
	view    [16]byte
}

// A Disagreement is an endpoint that doesn't look the same from everywhere.
type Disagreement struct {
	Endpoint string `json:"endpoint"` // as people say it
	Addr     string `json:"addr"`
	Views    []View `json:"views"` // by vantage
}

// A View is how an endpoint looks from one place.
type View struct {
	Vantage  string   `json:"vantage"`
	State    State    `json:"state"`
	Findings []string `json:"findings"` // rules, by name
}

// NewVantages returns an empty one.
func NewVantages() *Vantages {
	return &Vantages{map[string]string{}, map[[16]byte]sight{}, map[[16]byte]*Disagreement{}}
}

// Learn takes note of an entry. Headers, which say from where a scan was made, may come behind its results as well, but then the results
// count as of no vantage. What is of none isn't compared.
func (v *Vantages) Learn(e finding.Entry) {
	if h := e.Header; h != nil {
		v.names[h.Scan] = h.Vantage
	}
	vantage := v.names[e.Scan]
	if e.Result == nil || vantage == "" {
		return
	}
	endpoint, view := shortly(e.Endpoint(), e.Target), shortly(viewOf(e.Record, ""))
	before, known := v.first[endpoint]
	switch {
	case !known:
		v.first[endpoint] = sight{vantage, view}
	case before.vantage != vantage && before.view != view:
		v.disputed[endpoint] = &Disagreement{Endpoint: e.Endpoint(), Addr: e.Target.Addr.String()}
	}
}

// Collect keeps what results say of endpoints that are disputed.
func (v *Vantages) Collect(e finding.Entry) {
	if e.Result == nil || v.names[e.Scan] == "" {
		return
	}
	if d := v.disputed[shortly(e.Endpoint(), e.Target)]; d != nil {
		d.Views = append(d.Views, viewOf(e.Record, v.names[e.Scan]))
	}
}

// Disagreements returns them by endpoint.
func (v *Vantages) Disagreements() []Disagreement {
	var all []Disagreement
	for d := range maps.Values(v.disputed) {
		slices.SortStableFunc(d.Views, func(a, b View) int { return strings.Compare(a.Vantage, b.Vantage) })
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b Disagreement) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Addr, b.Addr))
	})
	return all
}

// Block words it: a line a vantage, with the findings that not all have in common.
func (d Disagreement) Block() Block {
	b := Block{Head: d.Endpoint}
	if d.Endpoint != d.Addr {
		b.Head += " (" + d.Addr + ")"
	}
	for _, view := range d.Views {
		text := string(view.State)
		for _, id := range view.Findings {
			if slices.ContainsFunc(d.Views, func(o View) bool { return !slices.Contains(o.Findings, id) }) {
				text += " · " + id
			}
		}
		b.Lines = append(b.Lines, Line{Kind: "from " + view.Vantage, Text: text})
	}
	return b
}

func viewOf(r finding.Record, vantage string) View {
	ids := []string{}
	for _, f := range r.Findings {
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return View{vantage, StateOf(r), slices.Compact(ids)}
}

// shortly stands for values.
func shortly(values ...any) [16]byte {
	h := sha256.Sum256(fmt.Appendf(nil, "%q", values))
	return [16]byte(h[:])
}
