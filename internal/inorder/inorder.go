// Package inorder does the same with many things side by side, and gives what comes of them in their order.
package inorder

import (
	"iter"
	"runtime"
	"sync"
)

// Map yields what f makes of each value, in their order. Several calls of f run at once; the sequence is read, and what comes of
// it is yielded, by the caller's own goroutine. When it returns no call is under way.
func Map[T, U any](values iter.Seq[T], f func(T) U) iter.Seq[U] {
	ahead := 2 * runtime.GOMAXPROCS(0) // while the first is awaited, the others have something to do
	return func(yield func(U) bool) {
		var running sync.WaitGroup
		defer running.Wait()
		var queue []chan U
		for v := range values {
			done := make(chan U, 1)
			running.Go(func() { done <- f(v) })
			if queue = append(queue, done); len(queue) < ahead {
				continue
			}
			if !yield(<-queue[0]) {
				return
			}
			queue = queue[1:]
		}
		for _, done := range queue {
			if !yield(<-done) {
				return
			}
		}
	}
}
