package report

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A fileServer is what a host's table knows of a file server that answers on port 445 and within NetBIOS sessions on 139:
// it is one, and what is found on both ports is one finding.
type fileServer struct {
	port  uint16 // where it was asked first
	found map[string]bool
}

// sameServer takes out of a record what was found on the other port of its server already, and returns that port; 0 if the
// server is met first.
func (g *group) sameServer(r *finding.Record, state State) uint16 {
	port := r.Target.Addr.Port()
	if r.Protocol != "smb" || port != 139 && port != 445 || state != Answered {
		return 0
	}
	if g.files == nil {
		g.files = &fileServer{port, map[string]bool{}}
	}
	if g.files.port != port {
		r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f finding.Finding) bool { return g.files.found[f.ID] })
	}
	for _, f := range r.Findings {
		g.files.found[f.ID] = true
	}
	if g.files.port == port {
		return 0
	}
	return g.files.port
}

// alsoOn writes the row of a server that another row tells of.
func (t *Table) alsoOn(b *bytes.Buffer, r finding.Record, port uint16) {
	where := fmt.Sprintf("%d/%s", r.Target.Addr.Port(), cmp.Or(r.Target.Network, probe.TCP))
	text := pad(pad(where, protocolColumn-2)+r.Protocol, textColumn-2) + fmt.Sprintf("the same as on %d", port)
	fmt.Fprintln(b, "  "+t.in(faint, fit(text, t.width-2)))
	document := documentOf(r)
	open := finding.Open(r.Findings)
	for _, f := range open {
		t.finding(b, document, f, idWidth(open))
	}
}

// before orders hosts by their addresses, and those of one address by name.
func (k hostKey) before(o hostKey) int {
	return cmp.Or(k.addr.Compare(o.addr), cmp.Compare(k.name, o.name), cmp.Compare(k.id, o.id))
}

// A hostLine is a host in the list at the table's end.
type hostLine struct {
	addr  netip.Addr
	title string
	found counts
	ports string
}

// noteHost remembers a host where somebody answered.
func (t *Table) noteHost(g *group, answered []kept) {
	if t.list == nil {
		return
	}
	l := t.list
	line := hostLine{g.key.addr, strings.TrimSpace(g.key.name + "  " + g.key.addr.String()), g.found, strings.TrimSpace(ports(answered) + "  " + g.label)}
	same := func(h hostLine) bool { return h.title == line.title }
	if i := slices.IndexFunc(l.lines, same); i >= 0 && g.label == "" { // a list that names each of its endpoints
		for s, n := range line.found {
			l.lines[i].found[s] += n
		}
		l.lines[i].ports += " · " + line.ports
		return
	}
	l.hosts++
	l.lines = append(l.lines, line)
	if len(l.lines) >= 2*listShown {
		l.cutHosts()
	}
}

// cutHosts keeps those with the most severe findings.
func (l *list) cutHosts() {
	slices.SortStableFunc(l.lines, func(x, y hostLine) int { return x.found.compare(y.found) })
	l.lines = slices.Clone(l.lines[:min(len(l.lines), listShown)])
}

// writeHosts writes a line a host. One host needs none.
func (t *Table) writeHosts(b *bytes.Buffer) {
	l := t.list
	if l.hosts < 2 {
		return
	}
	l.cutHosts()
	slices.SortStableFunc(l.lines, func(x, y hostLine) int { return x.addr.Compare(y.addr) })
	widest := 0
	for _, h := range l.lines {
		widest = max(widest, ansi.StringWidth(Clean(h.title)))
	}
	widest = min(widest, max(20, t.width/3))
	b.WriteByte('\n')
	for _, h := range l.lines {
		counts, plain := []string{}, 0
		for s := finding.Critical; s >= finding.Info; s-- {
			if n := h.found[s]; n > 0 {
				word := fmt.Sprintf("%d %v", n, s)
				counts, plain = append(counts, t.in(severityStyles[s], word)), plain+len(word)
			}
		}
		text := strings.Join(counts, " · ")
		if plain += 3 * max(0, len(counts)-1); plain == 0 {
			text, plain = "no findings", len("no findings")
		}
		fmt.Fprintf(b, "  %s  %s  %s\n", pad(fit(h.title, widest), widest), text, t.in(faint, fit(h.ports, t.width-widest-plain-6)))
	}
	if more := l.hosts - len(l.lines); more > 0 {
		fmt.Fprintf(b, "  %s\n", t.in(faint, fmt.Sprintf("… and %d more hosts", more)))
	}
}
