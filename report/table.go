package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A Host says which records of a table belong together.
type Host struct {
	// ID is the same for all records of one host, and for no other's. 0 puts records of one name and address together.
	ID int
	// Endpoints is how many records the host is going to have; 0 if that isn't known.
	Endpoints int
	Label     string // what stands beside its name and address; may be empty
}

// TableOptions say how a table looks. The zero value suits a file.
type TableOptions struct {
	Color bool // ANSI colours, for terminals
	Width int  // columns; 0 is 120, and less than 60 is 60
	// List ends the table with all findings, the most severe first and each on one line with its endpoint and proof.
	// Of very many, the most severe are listed.
	List bool
	// Baseline says that the findings are those that an earlier scan didn't have, for the summary to say so.
	Baseline bool
}

// A Table writes records for people to read, grouped by host. A host is written, with one call to Write, as soon as
// all its records were given, or when the table is closed. It is used by one goroutine at a time.
type Table struct {
	w      io.Writer
	color  bool
	width  int
	list   *list // nil if none was asked for
	since  bool  // a baseline
	tally  Tally
	open   map[hostKey]*group
	order  []*group
	rows   rows          // that wait until the table is closed
	mute   int           // hosts where nothing answered
	muted  map[State]int // endpoints of those that weren't written
	tight  bool          // the last thing written was a line on its own
	began  bool
	failed error
}

type hostKey struct {
	id   int
	name string
	addr netip.Addr
}

type group struct {
	key     hostKey
	label   string
	records []kept
	passed  int         // records that aren't shown
	files   *fileServer // nil until one answers
	found   counts      // that aren't accepted
}

// kept is what waits of a record: what is going to be written of it.
type kept struct {
	port     uint16
	network  probe.Network
	protocol string
	state    State
	beside   uint16 // the port of the row that this one stands below; 0 if it stands by itself
	row      []byte // empty for a quiet endpoint
	packed   bool   // row is the table's rows'
}

// NewTable returns a table that writes to w.
func NewTable(w io.Writer, o TableOptions) *Table {
	if o.Width == 0 {
		o.Width = 120
	}
	t := &Table{w: w, color: o.Color, width: max(o.Width, 60), since: o.Baseline, open: map[hostKey]*group{}, muted: map[State]int{}}
	if o.List {
		t.list = new(list)
	}
	return t
}

// Write takes a record. An error is the writer's, and comes again from Close.
func (t *Table) Write(r finding.Record, h Host) error {
	g, state := t.group(r, h), StateOf(r)
	k := kept{port: r.Target.Addr.Port(), network: r.Target.Network, protocol: r.Protocol, state: state, beside: g.sameServer(&r, state)}
	t.tally.Add(r)
	for _, f := range finding.Open(r.Findings) {
		g.found.add(f.Severity)
	}
	switch k.state {
	case Answered, TLSFailed, Failed:
		var b bytes.Buffer
		if k.beside != 0 {
			t.alsoOn(&b, r, k.beside)
		} else {
			t.row(&b, r)
		}
		if k.packed = h.Endpoints == 0; k.packed {
			k.row = t.rows.pack(b.String())
		} else {
			k.row = bytes.Clone(b.Bytes())
		}
	}
	g.records = append(g.records, k)
	if t.list != nil {
		t.list.add(r)
	}
	return t.complete(g, h)
}

// Pass counts a record that isn't to be shown, such as one without anything new.
func (t *Table) Pass(r finding.Record, h Host) error {
	t.tally.Add(r)
	g := t.group(r, h)
	g.passed++
	return t.complete(g, h)
}

// group returns the host that a record belongs to.
func (t *Table) group(r finding.Record, h Host) *group {
	key := hostKey{id: h.ID, name: r.Target.Name, addr: r.Target.Addr.Addr()}
	g := t.open[key]
	if g == nil {
		g = &group{key: key, label: h.Label}
		t.open[key] = g
		t.order = append(t.order, g)
	}
	return g
}

// complete writes the host when this was its last record.
func (t *Table) complete(g *group, h Host) error {
	if h.Endpoints > 0 && len(g.records)+g.passed >= h.Endpoints {
		delete(t.open, g.key)
		t.order = slices.DeleteFunc(t.order, func(o *group) bool { return o == g })
		t.host(g)
	}
	return t.failed
}

// Close writes the hosts that are left and the summary. It doesn't close the writer.
func (t *Table) Close() error {
	slices.SortStableFunc(t.order, func(a, b *group) int { return a.key.before(b.key) }) // as stored results come, in any order
	for _, g := range t.order {
		t.host(g)
	}
	clear(t.open)
	t.order = nil
	var b bytes.Buffer
	if hidden := t.mute - mutesShown; hidden > 0 {
		hosts := "hosts"
		if hidden == 1 {
			hosts = "host"
		}
		if !t.tight {
			b.WriteByte('\n')
		}
		fmt.Fprintln(&b, t.in(faint, fmt.Sprintf("… and %d more %s where nothing answered: %s", hidden, hosts, countStates(t.muted))))
	}
	if t.began {
		b.WriteByte('\n')
	}
	fmt.Fprintln(&b, t.in(bold, ansi.Wordwrap(t.tally.String(), t.width, " ")))
	fmt.Fprintln(&b, t.findings())
	if t.list != nil {
		t.writeList(&b)
		t.writeHosts(&b)
	}
	t.write(b.Bytes())
	return t.failed
}

func (t *Table) findings() string {
	var words []string
	for s := finding.Critical; s >= finding.Info; s-- {
		if n := t.tally.Findings[s]; n > 0 {
			words = append(words, t.in(severityStyles[s], fmt.Sprintf("%d %v", n, s)))
		}
	}
	subject := "findings"
	if t.since {
		subject = "new findings"
	}
	accepted := ""
	if t.tally.Accepted > 0 {
		accepted = t.in(faint, fmt.Sprintf(" · %d accepted", t.tally.Accepted))
	}
	if len(words) == 0 {
		return "no " + subject + accepted
	}
	return subject + ": " + strings.Join(words, " · ") + accepted
}

func (t *Table) write(b []byte) {
	if t.failed == nil && len(b) > 0 {
		_, t.failed = t.w.Write(b)
		t.began = true
	}
}

// mutesShown is how many hosts where nothing answered are written by themselves before the rest is only counted: a
// range is mostly empty.
const mutesShown = 8

// host writes one host.
func (t *Table) host(g *group) {
	if len(g.records) == 0 {
		return
	}
	slices.SortFunc(g.records, func(a, b kept) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.beside, a.port), cmp.Or(b.beside, b.port)), cmp.Compare(a.beside, b.beside), cmp.Compare(a.network, b.network), cmp.Compare(a.protocol, b.protocol))
	})
	quiet := map[State][]kept{}
	var rows []kept
	for _, k := range g.records {
		if len(k.row) > 0 {
			rows = append(rows, k)
		} else {
			quiet[k.state] = append(quiet[k.state], k)
		}
	}
	var b bytes.Buffer
	if len(rows) == 0 {
		if t.mute++; t.mute > mutesShown {
			for s, records := range quiet {
				t.muted[s] += len(records)
			}
			return
		}
		if t.began && !t.tight {
			b.WriteByte('\n')
		}
		t.muteHost(&b, g, quiet)
		t.tight = true
		t.write(b.Bytes())
		return
	}
	if t.began {
		b.WriteByte('\n')
	}
	t.tight = false
	b.WriteString(t.title(g) + "\n")
	for _, k := range rows {
		if k.packed {
			t.rows.unpack(&b, k.row)
		} else {
			b.Write(k.row)
		}
	}
	t.noteHost(g, rows)
	for _, s := range states {
		if len(quiet[s]) > 0 {
			line := "  " + pad(string(s), 12) + "  " + ports(quiet[s])
			fmt.Fprintln(&b, t.in(faint, fit(line, t.width)))
		}
	}
	t.write(b.Bytes())
}

// muteHost is one line. Ports are named if they are few.
func (t *Table) muteHost(b *bytes.Buffer, g *group, quiet map[State][]kept) {
	counts := map[State]int{}
	total := 0
	var named []string
	for _, s := range states {
		if n := len(quiet[s]); n > 0 {
			counts[s] = n
			total += n
			named = append(named, string(s)+": "+ports(quiet[s]))
		}
	}
	text := "nothing answered: " + countStates(counts)
	if total <= 3 {
		text = strings.Join(named, " · ")
	}
	title := t.title(g)
	fmt.Fprintln(b, title+"  "+t.in(faint, fit(text, t.width-ansi.StringWidth(title)-2)))
}

func (t *Table) title(g *group) string {
	addr := Clean(g.key.addr.String())
	title := t.in(bold, addr)
	if g.key.name != "" {
		title = t.in(bold, fit(g.key.name, t.width-len(addr)-2)) + "  " + addr
	}
	if room := t.width - ansi.StringWidth(title) - 2; g.label != "" && room > 0 {
		title += "  " + t.in(faint, fit(g.label, room))
	}
	return title
}

// ports lists where records were, by protocol: "ftp 21, 990 · smtp 25".
func ports(records []kept) string {
	var order []string
	by := map[string][]string{}
	for _, k := range records {
		if by[k.protocol] == nil {
			order = append(order, k.protocol)
		}
		by[k.protocol] = append(by[k.protocol], fmt.Sprint(k.port))
	}
	for i, protocol := range order {
		order[i] = protocol + " " + strings.Join(by[protocol], ", ")
	}
	return strings.Join(order, " · ")
}
