package scan

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"strings"
)

// lineLimit is the longest line of a list, far above a URL of the longest host name (RFC 1035 §2.3.4: 255 octets).
const lineLimit = 4096

var errLineLimit = fmt.Errorf("the line is longer than %d bytes: write one target a line", lineLimit)

var errUTF16 = errors.New("the list is UTF-16: save it as UTF-8")

// Lines are inputs in a list, one a line; name is the list's, for errors. Blank lines, and what follows a # at the
// start of a line or behind a blank, are skipped. A line of more than 4,096 bytes is one that can't be used; an error of r
// ends the sequence.
//
// A line is a target, or a row of CSV as other scanners use it: as zgrab2 reads it, "address, domain, tag, port", of
// which the last may be left out and any may be empty; or, if the first line names its columns and one of them is
// saddr, as ZMap writes it: of the others sport, success and repeat are used. What masscan (-oL, -oJ, -oX), nmap (-oX, -oG),
// naabu and httpx (JSON) write is read as well; of it the open ports are targets.
//
// Unless r is a regular file, reading goes on in a goroutine of its own, so that a terminal or a pipe that keeps silent doesn't
// hold up the end of ctx, and lines aren't held back to be shuffled with later ones. If r is silent then, that goroutine ends with
// r's next line or its end.
func Lines(ctx context.Context, name string, r io.Reader) iter.Seq2[Input, error] {
	slow := !regular(r)
	return func(yield func(Input, error) bool) {
		l := lister{place: append([]byte(name), ':'), slow: slow, yield: yield}
		if !slow {
			read(r, ctx.Done(), l.take)
			return
		}
		lines := make(chan line)
		done := make(chan struct{})
		defer close(done)
		go func() {
			defer close(lines)
			read(r, done, func(l line) bool {
				select {
				case lines <- l:
					return true
				case <-done:
					return false
				}
			})
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case next, ok := <-lines:
				if !ok || !l.take(next) {
					return
				}
			}
		}
	}
}

// A lister makes inputs of the lines of one list.
type lister struct {
	place []byte // the list's name and a colon
	slow  bool
	yield func(Input, error) bool
	n     int // lines
	rows  rows
}

// take yields what a line holds, and reports whether to go on.
func (l *lister) take(next line) bool {
	l.n++
	if l.n == 1 && (strings.HasPrefix(next.text, "\xff\xfe") || strings.HasPrefix(next.text, "\xfe\xff")) {
		next = line{err: &readError{errUTF16}}
	}
	place := strconv.AppendInt(l.place, int64(cmp.Or(next.number, l.n)), 10)
	in := Input{Text: uncomment(next.text), Place: string(place), Last: l.slow}
	switch {
	case next.err != nil:
		return l.refuse(in, next.err) && next.err == errLineLimit
	case in.Text == "":
		return true
	}
	if !next.target {
		if targets, ok, err := foreign(in.Text); ok {
			if err != nil && !l.refuse(in, err) {
				return false
			}
			for _, t := range targets {
				in.Text, in.Name, in.Tag = t.text, t.name, t.tag
				if !l.yield(in, nil) {
					return false
				}
			}
			return true
		}
	}
	target, skip, err := l.rows.understand(in)
	switch {
	case skip:
		return true
	case err != nil:
		return l.refuse(target, err)
	}
	return l.yield(target, nil)
}

// refuse yields an input that can't be used.
func (l *lister) refuse(in Input, err error) bool {
	return l.yield(in, &InputError{Input: in, Err: err})
}

type line struct {
	text   string
	err    error
	number int  // 0 for the one behind the last
	target bool // the text is a target already
}

// A readError is why a list couldn't be read to its end.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// read hands on the lines of r as long as send returns true and done isn't closed. Of one that is too long nothing is kept.
func read(r io.Reader, done <-chan struct{}, send func(line) bool) {
	over := func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
	b := bufio.NewReaderSize(r, lineLimit+len("\r\n"))
	_, _ = b.Peek(1)
	if beginning, _ := b.Peek(b.Buffered()); isXML(beginning) {
		readXML(b, func(l line) bool { return !over() && send(l) })
		return
	}
	for !over() {
		text, err := b.ReadSlice('\n')
		l := line{text: string(bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")))}
		if len(l.text) > lineLimit {
			l = line{err: errLineLimit}
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			if over() {
				return
			}
			_, err = b.ReadSlice('\n')
		}
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			send(line{err: &readError{err}})
			return
		case err != nil && l == (line{}):
			return
		}
		if !send(l) || err != nil {
			return
		}
	}
}

// regular reports whether r is a file of which everything is there.
func regular(r io.Reader) bool {
	f, ok := r.(fs.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
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
