// Package lazy makes what not every program needs when it is first used.
package lazy

import (
	"regexp"
	"sync"
)

// Pattern returns a function that compiles an expression when it is first called. It panics then if the expression isn't one.
func Pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
