package report

import "github.com/handclasp/handclasp/finding"

// A style is the parameters of the escape sequence that selects it (ECMA-48 §8.3.117). The sixteen basic colours
// are used, since they follow the terminal's own theme.
type style string

const (
	bold    style = "1"
	faint   style = "2"
	warning style = "33"
	calm    style = "32"
)

var severityStyles = map[finding.Severity]style{
	finding.Critical: "1;97;41", finding.High: "1;31", finding.Medium: "1;33", finding.Low: "1;36", finding.Info: "2",
}

// in dresses text, which must be clean, if colours are on.
func (t *Table) in(s style, text string) string {
	if !t.color || text == "" || s == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
