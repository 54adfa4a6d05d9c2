// Package calling tells a scan when a probe calls its host and when the call is over: a call that nobody answers costs next to
// nothing, and doesn't have to take the place of a conversation.
package calling

import "context"

// A Watcher is told of each connection that a session opens.
type Watcher interface {
	Calling()
	// Called says how the call ended; nil means that somebody answered it.
	Called(err error)
	// Take takes places at the host for n connections beside the one that a session may always have, and returns for how many
	// there were. Give gives them back.
	Take(n int) int
	Give(n int)
}

type key struct{}

// With returns a context for sessions that w watches.
func With(ctx context.Context, w Watcher) context.Context { return context.WithValue(ctx, key{}, w) }

// From returns the watcher that ctx carries; nil if it carries none.
func From(ctx context.Context) Watcher {
	w, _ := ctx.Value(key{}).(Watcher)
	return w
}
