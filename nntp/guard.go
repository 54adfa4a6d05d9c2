package nntp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// maxCommand is the longest command line, its CRLF included (RFC 3977 §3.1).
const maxCommand = 512

// madeUpLetters is the number of letters in a group's name that make it one that nobody has.
const madeUpLetters = 16

// guard makes the allow-list of one connection: one command of the ones that doc.go lists. MODE READER passes once, and not
// behind STARTTLS, which passes once as well (RFC 3977 §5.3.2, RFC 4642 §2.2.2).
func (p Prober) newGuard(visitor probe.Contact) probe.Guard {
	prefix := "handclasp."
	if visitor.Host != "" {
		prefix = visitor.Host + "."
	}
	reader, tls := false, false
	return func(l probe.Level, plain []byte) (label string, err error) {
		command, ok := strings.CutSuffix(string(plain), "\r\n")
		switch {
		case l < probe.LevelHandshake:
			return "", fmt.Errorf("nothing is sent at level %v", l)
		case p.Injection && !tls && command == "STARTTLS\r\nDATE":
			tls = true
			return "STARTTLS and DATE in one write", nil // the only two; the second has no effect
		case len(plain) > maxCommand:
			return "", errors.New("a command is at most 512 bytes long")
		case !ok:
			return "", errors.New("a command ends with CRLF")
		case strings.ContainsAny(command, "\r\n\x00"):
			return "", errors.New("one command at a time")
		}
		switch command {
		case "CAPABILITIES", "LIST EXTENSIONS", "DATE", "QUIT":
			return command, nil
		case "LIST ACTIVE":
			if l >= probe.LevelAnonymous {
				return command, nil
			}
		case "MODE READER":
			if !reader && !tls {
				reader = true
				return command, nil
			}
		case "STARTTLS":
			if !tls {
				tls = true
				return command, nil
			}
		default:
			if name, ok := strings.CutPrefix(command, "GROUP "); ok && madeUp(name, prefix) {
				return command, nil
			}
		}
		return "", fmt.Errorf("%q is not on the list at level %v, or not now", command[:min(len(command), 32)], l)
	}
}

// madeUp reports whether no group has that name.
func madeUp(name, prefix string) bool {
	letters, ok := strings.CutPrefix(name, prefix)
	return ok && len(letters) == madeUpLetters && strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz") == "" &&
		!strings.ContainsAny(prefix, " \t*?,")
}
