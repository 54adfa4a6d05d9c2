package probetest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// difference shows where the JSON forms of two values part, with the lines before it.
func difference(want, got any) string {
	a, b := pretty(want), pretty(got)
	for i := 0; i < len(a) || i < len(b); i++ {
		if line(a, i) == line(b, i) {
			continue
		}
		const before, after = 3, 6
		var s strings.Builder
		for j := max(i-before, 0); j < i; j++ {
			fmt.Fprintf(&s, "      %s\n", a[j])
		}
		for j := i; j < min(i+after, len(a)); j++ {
			fmt.Fprintf(&s, "want  %s\n", a[j])
		}
		for j := i; j < min(i+after, len(b)); j++ {
			fmt.Fprintf(&s, "got   %s\n", b[j])
		}
		return s.String()
	}
	return fmt.Sprintf("same as JSON, but not in memory: a nil list beside an empty one, or a field that isn't marshalled\nwant  %#v\ngot   %#v", want, got)
}

func pretty(v any) []string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return []string{err.Error()}
	}
	return strings.Split(string(text), "\n")
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
