package scan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// An Input is one target as somebody wrote it.
type Input struct {
	Text string
	// Place says where it was written, such as "argument 2" or "hosts.txt:14"; errors name it. It may be empty.
	Place string
}

// An InputError says what is wrong with one input, and what to do about it. The others aren't touched by it.
type InputError struct {
	Input Input
	Err   error
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
			if !yield(Input{Text: text, Place: fmt.Sprintf("argument %d", i+1)}, nil) {
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

// lineLimit is the longest line of a list, far above a URL of the longest host name (RFC 1035 §2.3.4: 255 octets).
const lineLimit = 4096

var errLineLimit = fmt.Errorf("the line is longer than %d bytes: write one target a line", lineLimit)

// Lines are inputs in a list, one a line; name is the list's, for errors. Blank lines, and what follows a # at the
// start of a line or behind a blank, are skipped. An error of r ends the sequence.
//
// Reading goes on in a goroutine of its own, so that a terminal or a pipe that keeps silent doesn't hold up the end
// of ctx. Where r is silent then, that goroutine ends with r's next line or its end.
func Lines(ctx context.Context, name string, r io.Reader) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		type line struct {
			text string
			err  error
		}
		lines := make(chan line)
		done := make(chan struct{})
		defer close(done)
		go func() {
			defer close(lines)
			s := bufio.NewScanner(r)
			s.Buffer(make([]byte, 0, lineLimit), lineLimit)
			for s.Scan() {
				select {
				case lines <- line{text: s.Text()}:
				case <-done:
					return
				}
			}
			if err := s.Err(); err != nil {
				select {
				case lines <- line{err: err}:
				case <-done:
				}
			}
		}()
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case l, ok := <-lines:
				if !ok {
					return
				}
				in := Input{Text: uncomment(l.text), Place: fmt.Sprintf("%s:%d", name, n)}
				if errors.Is(l.err, bufio.ErrTooLong) {
					l.err = errLineLimit
				}
				if l.err != nil {
					yield(in, &InputError{Input: in, Err: l.err})
					return
				}
				if in.Text != "" && !yield(in, nil) {
					return
				}
			}
		}
	}
}

func uncomment(line string) string {
	line = strings.TrimPrefix(line, "\uFEFF") // as some editors begin a file
	if strings.HasPrefix(line, "#") {
		return ""
	}
	for _, mark := range []string{" #", "\t#"} {
		line, _, _ = strings.Cut(line, mark)
	}
	return strings.TrimSpace(line)
}
