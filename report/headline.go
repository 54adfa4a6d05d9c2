package report

import (
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A Headliner is evidence that sums itself up if its protocol begins without a greeting, or calls it otherwise.
// Evidence with a JSON field "greeting" needs none.
type Headliner interface {
	probe.Evidence
	// Headline is a line on what the server showed of itself. It is empty if, and only if, the server said nothing of
	// the protocol.
	Headline() string
}

// headline is what stands beside an endpoint: what the server said first, or what its evidence says of itself. Text in
// it isn't clean. It is empty if the server said nothing.
func headline(r finding.Record, document *document) string {
	if e, ok := r.Evidence.(Headliner); ok {
		return e.Headline()
	}
	for _, field := range []string{"greeting", "identification"} { // SSH's is called so
		value, err := document.resolve("/evidence/" + field)
		if err == nil && string(value) != "null" && string(value) != `""` {
			return describe(value)
		}
	}
	return ""
}
