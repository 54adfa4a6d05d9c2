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
	finding.New: bold, finding.Resolved: calm, finding.Unknown: warning, finding.Unchanged: faint,
}

// WriteChanges writes what became of findings between two scans, a line each, and how many there are of each kind.
func WriteChanges(w io.Writer, changes []finding.Change, o TableOptions) error {
	t := NewTable(nil, o)
	ids, places := 0, 0
	for _, c := range changes {
		ids = max(ids, ansi.StringWidth(Clean(c.Finding.ID)))
		places = max(places, ansi.StringWidth(place(c)))
	}
	const statusWidth, severityWidth = len(finding.Unchanged) + 2, 10
	room := t.width - statusWidth - severityWidth - 4
	ids, places = min(ids, 32, room/3), min(places, 48, room*2/5) // on a narrow terminal all three are cut
	var b bytes.Buffer
	count := map[finding.Status]int{}
	for _, c := range changes {
		count[c.Status]++
		severity := strings.ToUpper(c.Finding.Severity.String())
		text := Clean(c.Finding.Title)
		if c.Finding.Detail != "" {
			text += ": " + c.Finding.Detail
		}
		if c.Reason != "" {
			text = c.Reason + " · " + text
		}
		fmt.Fprintf(&b, "%s%s%s%s%s\n",
			pad(t.in(statusStyles[c.Status], string(c.Status)), statusWidth),
			pad(t.in(severityStyles[c.Finding.Severity], severity), severityWidth),
			pad(fit(c.Finding.ID, ids), ids+2), pad(fit(place(c), places), places+2),
			fit(text, room-ids-places))
	}
	if len(changes) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintln(&b, t.in(bold, fmt.Sprintf("%d new · %d resolved · %d unknown · %d unchanged",
		count[finding.New], count[finding.Resolved], count[finding.Unknown], count[finding.Unchanged])))
	_, err := w.Write(b.Bytes())
	return err
}

// place says where a finding is: "ftp 192.0.2.7:21 (files.example.net)".
func place(c finding.Change) string {
	text := c.Protocol + " " + c.Target.Addr.String()
	if c.Target.Network == probe.UDP {
		text += "/udp"
	}
	if c.Target.Name != "" {
		text += " (" + c.Target.Name + ")"
	}
	return Clean(text)
}
