package main

import (
	"os"

	"golang.org/x/term"

	"github.com/handclasp/handclasp/report"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// colours reports whether to use them on f: on a terminal that knows them, and if nobody asked for none
// (https://no-color.org).
func colours(f *os.File) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// width returns f's columns, 0 if it is no terminal. Lines longer than the limit are hard to follow.
func width(f *os.File) int {
	const limit = 160
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 {
		return 0
	}
	return min(columns, limit)
}

// tableLook is how tables look on standard output.
func (a *app) tableLook() report.TableOptions {
	return report.TableOptions{Color: colours(a.stdout), Width: width(a.stdout)}
}
