package scan

import (
	"fmt"
	"iter"
	"strings"
)

// An Input is one target as somebody wrote it.
type Input struct {
	Text string
	// Place says where it was written, such as "argument 2" or "hosts.txt:14"; errors name it. It may be empty.
	Place string
	// Name is what SNI and certificates go by if Text is an address; empty for nothing.
	Name string
	// Tag is whatever the list's author wrote beside the target; endpoints carry it along.
	Tag string
	// Last says that further inputs aren't to be waited for: this one, and those before it, are shuffled among
	// themselves. Set it if inputs come slowly.
	Last bool
}

// An InputError says what is wrong with one input, and what to do about it. The others aren't touched by it.
type InputError struct {
	Input Input
	Err   error
	// Unresolved is the name, in lower case, if all that is wrong is that it has no address now; else empty.
	Unresolved string
}

func (e *InputError) Error() string {
	place := e.Input.Place
	if place == "" {
		place = "target"
	}
	if e.Input.Text == "" {
		return fmt.Sprintf("%s: %v", place, e.Err)
	}
	return fmt.Sprintf("%s: %q: %v", place, withoutPassword(e.Input.Text), e.Err)
}

// withoutPassword hides what stands between the scheme and the host of a URL: error lines end up in logs.
func withoutPassword(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if at := strings.LastIndex(rest, "@"); ok && at >= 0 {
		return scheme + "://…@" + rest[at+1:]
	}
	return text
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Args are inputs given as arguments, whose place is "argument 1" and so on.
func Args(args []string) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		for i, text := range args {
			in := Input{Text: text, Place: fmt.Sprintf("argument %d", i+1), Last: i == len(args)-1}
			if !yield(in, nil) {
				return
			}
		}
	}
}

// Concat is one sequence after the other.
func Concat(all ...iter.Seq2[Input, error]) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		for _, seq := range all {
			for in, err := range seq {
				if !yield(in, err) {
					return
				}
			}
		}
	}
}
