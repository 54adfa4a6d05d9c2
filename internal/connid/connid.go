// Package connid tells a dialer which connection of its session it opens: a replay has to know when several are dialled
// at once.
package connid

import "context"

type key struct{}

// With returns a context that carries the connection's number, counted from 1.
func With(ctx context.Context, id int) context.Context { return context.WithValue(ctx, key{}, id) }

// From returns the number that ctx carries, 0 if it carries none.
func From(ctx context.Context) int {
	id, _ := ctx.Value(key{}).(int)
	return id
}
