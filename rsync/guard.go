package rsync

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

var (
	// An answer to a greeting, of each generation.
	answerLine = regexp.MustCompile(`^@RSYNCD: (1[7-9]|2[0-9]|3[01]\.0|3[0-2]\.0 sha512 sha256 sha1 md5 md4)\n$`)
	// What makes the name of a module that doesn't exist, behind the visitor's.
	madeUpLine = regexp.MustCompile(`^\.[a-z]{16}\n$`)
	// A module's name: one line that is no command and no greeting.
	moduleLine = regexp.MustCompile(`^[^#@\x00-\x1f\x7f][^\x00-\x1f\x7f]*\n$`)
)

// maxRequest is the longest request, its LF included: the oldest daemons read no longer lines than 200 bytes.
const maxRequest = 191

// newGuard makes the allow-list of one connection: an answer to the greeting, one request, and nothing behind it. What
// follows a request would be a password's proof or the options of a transfer.
func (Prober) newGuard(visitor probe.Contact) probe.Guard {
	madeUp := "handclasp"
	if visitor.Host != "" {
		madeUp = visitor.Host
	}
	sent := 0
	return func(l probe.Level, plain []byte) (label string, err error) {
		switch {
		case l < probe.LevelHandshake:
			return "", fmt.Errorf("nothing is sent at level %v", l)
		case sent == 0 && answerLine.Match(plain):
			label = string(plain[:len(plain)-1])
		case sent == 1:
			label, err = request(l, plain, madeUp)
		case sent == 0:
			err = errors.New("a conversation begins with an answer to the greeting")
		default:
			err = errors.New("nothing may follow the request")
		}
		if err == nil {
			sent++
		}
		return label, err
	}
}

// request names a request for the list or for a module.
func request(l probe.Level, plain []byte, visitor string) (label string, err error) {
	suffix, madeUp := strings.CutPrefix(string(plain), visitor)
	switch {
	case string(plain) == "\n":
		return "list of modules", nil
	case madeUp && madeUpLine.MatchString(suffix):
		return "made-up module", nil
	case len(plain) > maxRequest || !moduleLine.Match(plain):
		return "", errors.New("neither the list nor the name of a module")
	case l < probe.LevelAnonymous:
		return "", fmt.Errorf("a module that may exist isn't asked for at level %v", l)
	}
	return "module", nil
}
