// Package textline reads the coded replies that FTP, SMTP and NNTP share, within bounds, from servers that may break
// every rule of them.
package textline

import (
	"bytes"
	"errors"
	"io"

	"github.com/handclasp/handclasp/probe"
)

// A Reader is a source of bounded lines, such as a *probe.Conn. ReadLine returns a line without its ending; beside
// an error it returns what came of one.
type Reader interface {
	ReadLine() ([]byte, error)
}

// A Style is a protocol's way to write a reply of several lines.
type Style int

const (
	// SingleLine replies have one line (RFC 3977 §3.1).
	SingleLine Style = iota
	// EveryLine of a reply carries the code (RFC 5321 §4.2.1).
	EveryLine
	// FirstAndLast lines carry the code, those between may hold anything (RFC 959 §4.2).
	FirstAndLast
)

// usualLines is what replies of several lines mostly fit in.
const usualLines = 12

// ReadReply reads one reply of at most maxLines lines. The reply holds what came, also beside an error: a first line
// that is no reply is kept with code 0. It is nil only if nothing came.
func ReadReply(r Reader, style Style, maxLines int) (*probe.Reply, error) {
	line, err := r.ReadLine()
	if err != nil && len(line) == 0 {
		return nil, err
	}
	return readOn(r, line, err, style, maxLines)
}

// readOn reads a reply from its second line on, in a function of its own: it is the first line that is waited for, by a thousand
// goroutines with their whole stack in memory. err is what came beside the first.
func readOn(r Reader, line []byte, err error, style Style, maxLines int) (*probe.Reply, error) {
	// Most replies have one line, which then comes with the reply.
	one := new(struct {
		reply probe.Reply
		lines [1]string
	})
	reply := &one.reply
	reply.Lines = one.lines[:0]
	code, rest, more := ParseLine(line)
	reply.Code = code
	if more && style != SingleLine {
		reply.Lines = make([]string, 0, usualLines)
	}
	add(reply, rest)
	switch {
	case err != nil:
		return reply, err
	case code == 0:
		return reply, noReply(line)
	}
	for more && style != SingleLine {
		if len(reply.Lines) >= maxLines {
			return reply, tooManyLines(maxLines)
		}
		line, err = r.ReadLine()
		if err != nil && len(line) == 0 {
			return reply, err
		}
		next, rest, dash := ParseLine(line)
		switch {
		case next == code:
			more = dash
			add(reply, rest)
		case style == FirstAndLast:
			add(reply, line)
		default:
			add(reply, line)
			if err == nil {
				err = strayLine(line, code)
			}
		}
		if err != nil {
			return reply, err
		}
	}
	return reply, nil
}

// What is wrong with a reply has functions of its own, which a goroutine that waits for one has no room for on its stack.

func noReply(line []byte) error {
	return probe.Errorf("reply", probe.OutcomeNotProtocol, "%q is no reply", clip(line))
}

func tooManyLines(most int) error {
	return &probe.Error{Op: "reply", Outcome: probe.OutcomeLimit, Err: &probe.LimitError{Limit: "ReplyLines", Value: most}}
}

func strayLine(line []byte, code int) error {
	return probe.Errorf("reply", probe.OutcomeMalformed, "%q inside a reply with code %d", clip(line), code)
}

// Malformed returns err, in which a line that is no reply is malformed rather than of another protocol: the server has
// greeted as its protocol does.
func Malformed(err error) error {
	if !errors.Is(err, probe.OutcomeNotProtocol) {
		return err
	}
	return &probe.Error{Op: "reply", Outcome: probe.OutcomeMalformed, Err: errors.Unwrap(err)}
}

// Parse returns the reply that plain begins with, and nil if it begins with none or ends before the reply does.
func Parse(plain []byte, style Style) *probe.Reply {
	lines := remaining(plain)
	reply, err := ReadReply(&lines, style, bytes.Count(plain, []byte("\n")))
	if err != nil {
		return nil
	}
	return reply
}

// remaining are lines in memory.
type remaining []byte

func (r *remaining) ReadLine() ([]byte, error) {
	line, rest, whole := bytes.Cut(*r, []byte("\n"))
	*r = rest
	if !whole {
		return line, io.ErrUnexpectedEOF
	}
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// ParseLine splits a line into its code, 0 if it has none, its text, and whether more lines follow. A code alone
// on its line is accepted, since servers send it.
func ParseLine(line []byte) (code int, text []byte, more bool) {
	if len(line) < 3 || line[0] < '1' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return 0, line, false
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	switch {
	case len(line) == 3:
		return code, nil, false
	case line[3] == ' ':
		return code, line[4:], false
	case line[3] == '-':
		return code, line[4:], true
	}
	return 0, line, false
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

func add(r *probe.Reply, line []byte) {
	s, lossy := probe.UTF8(line)
	r.Lines = append(r.Lines, s)
	r.Lossy = r.Lossy || lossy
}

// ReadBlock reads the lines of a multi-line data block (RFC 3977 §3.1.1) up to the line with a single dot, without
// the dots that were stuffed. After maxLines lines it stops with truncated true and leaves the rest unread. The lines
// that came are returned also beside an error.
func ReadBlock(r Reader, maxLines int) (lines []string, truncated bool, err error) {
	lines = []string{}
	for {
		line, err := r.ReadLine()
		if err != nil && len(line) == 0 {
			return lines, false, err
		}
		if string(line) == "." {
			return lines, false, err // a connection that ends behind the dot leaves no line either
		}
		if len(lines) >= maxLines {
			return lines, true, nil
		}
		s, _ := probe.UTF8(bytes.TrimPrefix(line, []byte(".")))
		lines = append(lines, s)
		if err != nil {
			return lines, false, err
		}
	}
}

func clip(b []byte) []byte { return b[:min(len(b), 64)] }
