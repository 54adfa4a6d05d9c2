package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

var statusStyles = map[finding.Status]style{
	finding.New: bold, finding.Changed: bold, finding.Resolved: calm, finding.Unknown: warning, finding.Unchanged: faint,
}

// WriteDelta writes what differs between two scans: findings a line each, what else is told, and how much there is of each.
func WriteDelta(w io.Writer, d finding.Delta, o TableOptions) error {
	t := NewTable(nil, o)
	ids, places := 0, 0
	for _, c := range d.Changes {
		ids = max(ids, ansi.StringWidth(Clean(c.Finding.ID)))
		places = max(places, ansi.StringWidth(place(c)))
	}
	const statusWidth, severityWidth = len(finding.Unchanged) + 2, 10
	room := t.width - statusWidth - severityWidth - 4
	ids, places = min(ids, 32, room/3), min(places, 48, room*2/5) // on a narrow terminal all three are cut
	var b bytes.Buffer
	count := map[finding.Status]int{}
	for _, c := range d.Changes {
		count[c.Status]++
		severity := strings.ToUpper(c.Finding.Severity.String())
		fmt.Fprintf(&b, "%s%s%s%s%s\n",
			pad(t.in(statusStyles[c.Status], string(c.Status)), statusWidth),
			pad(t.in(severityStyles[c.Finding.Severity], severity), severityWidth),
			pad(fit(c.Finding.ID, ids), ids+2), pad(fit(place(c), places), places+2),
			fit(changeText(c), room-ids-places))
	}
	for _, n := range d.Notes {
		fmt.Fprintln(&b, t.in(noteStyle(n.Kind), pad(strings.ReplaceAll(string(n.Kind), "_", " "), statusWidth+severityWidth))+fit(noteText(n), t.width-statusWidth-severityWidth))
	}
	if len(d.Changes)+len(d.Notes) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintln(&b, t.in(bold, fmt.Sprintf("%d new · %d changed · %d resolved · %d unknown · %d unchanged",
		count[finding.New], count[finding.Changed], count[finding.Resolved], count[finding.Unknown], d.Unchanged)))
	_, err := w.Write(b.Bytes())
	return err
}

// changeText words what a line says behind its columns.
func changeText(c finding.Change) string {
	text := Clean(c.Finding.Title)
	if c.Finding.Detail != "" {
		text += ": " + c.Finding.Detail
	}
	var words []string
	if c.Was != 0 {
		words = append(words, fmt.Sprintf("was %s", c.Was))
	}
	for _, item := range c.Added {
		words = append(words, "+"+item.Value)
	}
	for _, item := range c.Removed {
		words = append(words, "-"+item.Value)
	}
	if c.Reason != "" {
		words = append(words, c.Reason)
	}
	for _, a := range c.Finding.Accepted {
		what := strings.Join(append([]string{"accepted"}, a.Items...), " ")
		words = append(words, what+": "+a.String())
	}
	return strings.Join(append(words, text), " · ")
}

// noteText says what a note is about, and what it says.
func noteText(n finding.Note) string {
	about := n.Group
	if n.Endpoint != (finding.Endpoint{}) {
		about = n.Endpoint.String()
	}
	if n.Fact != "" && n.Kind != finding.NoteCause {
		_, path, found := strings.Cut(n.Fact, ":")
		if !found {
			path = n.Fact
		}
		about += " " + strings.TrimPrefix(strings.TrimPrefix(path, "/evidence"), "/")
	}
	text := n.Text
	if n.Kind == finding.NoteCause {
		many := "findings differ"
		if n.Count == 1 {
			many = "finding differs"
		}
		text = fmt.Sprintf("%s: %d %s only by that: %s", n.Text, n.Count, many, strings.Join(n.New, ", "))
	}
	return Clean(strings.TrimPrefix(about+": "+text, ": "))
}

func noteStyle(k finding.NoteKind) style {
	switch k {
	case finding.NoteBlind, finding.NoteMoved:
		return warning
	case finding.NoteFact:
		return bold
	}
	return faint
}

// place says where a finding is: "ftp 192.0.2.7:21 (files.example.net)".
func place(c finding.Change) string {
	text := c.Protocol + " " + c.Target.Addr.String()
	if !c.Target.Addr.Addr().IsValid() {
		text = c.Protocol + " " + c.Endpoint.String()
	}
	if c.Target.Network == probe.UDP {
		text += "/udp"
	}
	if c.Target.Name != "" {
		text += " (" + c.Target.Name + ")"
	}
	return Clean(text)
}
