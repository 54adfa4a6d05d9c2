package report

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// A Fleet is how things stand after many scans.
type Fleet struct {
	At     time.Time             // ages are told as of then
	Open   []finding.OpenFinding // by host
	Nights []Night               // in order
}

// A Night is how many findings were open after a scan.
type Night struct {
	At   time.Time
	Open int
}

// FleetColumns are those of [WriteFleetCSV].
var FleetColumns = []string{"severity", "rule", "title", "host", "port", "network", "vantage", "items", "first_seen", "last_seen", "age_days",
	"unknown_scans", "reason", "accepted", "accepted_until"}

// WriteFleetCSV writes the open findings, a line each.
func WriteFleetCSV(w io.Writer, f Fleet, rules []finding.Rule) error {
	c := csv.NewWriter(w)
	if err := c.Write(FleetColumns); err != nil {
		return err
	}
	titles := titlesOf(rules)
	for _, o := range f.Open {
		who, until := acceptance(o)
		line := []string{o.Severity.String(), o.Rule, titles[o.Rule], o.Endpoint.Host, strconv.Itoa(int(o.Endpoint.Port)), string(o.Endpoint.Network), o.Endpoint.Vantage,
			o.Items, o.FirstSeen.UTC().Format(time.RFC3339), o.LastSeen.UTC().Format(time.RFC3339), strconv.Itoa(days(f.At.Sub(o.FirstSeen))),
			strconv.Itoa(o.Unknown), o.Reason, who, until}
		for i, cell := range line {
			line[i] = inert(Clean(cell))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// acceptance says why a finding is accepted, and until when; empty if it isn't.
func acceptance(o finding.OpenFinding) (who, until string) {
	for i, a := range o.Accepted {
		if i > 0 {
			who += "; "
		}
		who += a.String()
		if a.Until != "" && (until == "" || a.Until < until) {
			until = a.Until
		}
	}
	return who, until
}

func titlesOf(rules []finding.Rule) map[string]string {
	titles := make(map[string]string, len(rules))
	for _, r := range rules {
		titles[r.ID] = r.Title
	}
	return titles
}

func days(d time.Duration) int { return max(0, int(d/(24*time.Hour))) }

//go:embed page/fleet.html
var fleetHTML string

//go:embed page/fleet.css
var fleetCSS string

var fleetTemplate = template.Must(template.New("fleet").Parse(fleetHTML))

// nightsShown is how many nights the chart has at most: the last ones.
const nightsShown = 180

// A bar of the chart, in the units of its view box.
type bar struct {
	X, Y, Width, Height float64
	Text                string
}

const chartWidth, chartHeight = 720, 120

// bars draw how many findings were open.
func bars(nights []Night) (list []bar, most int) {
	nights = nights[max(0, len(nights)-nightsShown):]
	for _, n := range nights {
		most = max(most, n.Open)
	}
	wide := chartWidth / float64(max(len(nights), 14)) * 0.8
	step := (chartWidth - wide) / float64(max(len(nights)-1, 1)) // the first and the last stand above their days
	for i, n := range nights {
		height := float64(chartHeight) * float64(n.Open) / float64(max(most, 1))
		list = append(list, bar{float64(i) * step, chartHeight - height, wide, height,
			fmt.Sprintf("%s: %d open", n.At.UTC().Format("2006-01-02 15:04"), n.Open)})
	}
	return list, most
}

// WriteFleetHTML writes one page for browsers, which needs nothing beside itself: the open findings with their ages, those that are
// most severe first as far as 5,000, and a chart of how many there were.
func WriteFleetHTML(w io.Writer, f Fleet, o HTMLOptions) error {
	type row struct {
		finding.OpenFinding
		Title, Where, Accepted string
		Age                    int
	}
	titles := titlesOf(o.Rules)
	page := struct {
		Title, Policy, At      string
		CSS                    template.CSS
		Bars                   []bar
		Most, Width, Height    int
		First, Last            string
		Rows                   []row
		Count, Left, Unlearned int
	}{
		Title: o.Title, Policy: "default-src 'none'; style-src '" + hash(pageCSS+fleetCSS) + "'; img-src data:; base-uri 'none'; form-action 'none'",
		At: f.At.UTC().Format("2006-01-02 15:04 MST"), CSS: template.CSS(pageCSS + fleetCSS), Width: chartWidth, Height: chartHeight, Count: len(f.Open),
	}
	page.Bars, page.Most = bars(f.Nights)
	if n := len(f.Nights); n > 0 {
		page.First, page.Last = f.Nights[max(0, n-nightsShown)].At.UTC().Format(time.DateOnly), f.Nights[n-1].At.UTC().Format(time.DateOnly)
	}
	for severity := finding.Critical; severity >= finding.Info; severity-- {
		for _, open := range f.Open {
			if open.Severity != severity {
				continue
			}
			if open.Unknown > 0 {
				page.Unlearned++
			}
			if len(page.Rows) == findingsShown {
				page.Left++
				continue
			}
			who, _ := acceptance(open)
			open.Items, open.Reason = Clean(open.Items), Clean(open.Reason)
			page.Rows = append(page.Rows, row{open, titles[open.Rule], Clean(open.Endpoint.String()), Clean(who), days(f.At.Sub(open.FirstSeen))})
		}
	}
	return fleetTemplate.Execute(w, page)
}
