package nntp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// maxCommand is the longest command line, its CRLF included (RFC 3977 §3.1).
const maxCommand = 512

// A verb's arguments, spelled out; "" is a verb alone.
var (
	allowed = map[string][]string{
		"CAPABILITIES": {""},
		"MODE":         {"READER"},
		"LIST":         {"EXTENSIONS"},
		"DATE":         {""},
		"STARTTLS":     {""},
		"QUIT":         {""},
	}
	allowedAnonymous = map[string][]string{"LIST": {"ACTIVE"}}
)

var madeUpGroup = regexp.MustCompile(`^handclasp\.[a-z]{16}$`)

// guard allows one command of the ones that doc.go lists.
func guard(l probe.Level, plain []byte) (label string, err error) {
	command, ok := strings.CutSuffix(string(plain), "\r\n")
	switch {
	case l < probe.LevelHandshake:
		return "", fmt.Errorf("nothing is sent at level %v", l)
	case len(plain) > maxCommand:
		return "", errors.New("a command is at most 512 bytes long")
	case !ok:
		return "", errors.New("a command ends with CRLF")
	case strings.ContainsAny(command, "\r\n\x00"):
		return "", errors.New("one command at a time")
	}
	verb, args, _ := strings.Cut(command, " ")
	if verb == "GROUP" {
		if !madeUpGroup.MatchString(args) {
			return "", errors.New("GROUP of a name that may exist")
		}
		return command, nil
	}
	for _, a := range allowed[verb] {
		if command == strings.TrimSuffix(verb+" "+a, " ") {
			return command, nil
		}
	}
	if l >= probe.LevelAnonymous {
		for _, a := range allowedAnonymous[verb] {
			if args == a {
				return command, nil
			}
		}
	}
	return "", fmt.Errorf("%q is not on the list at level %v", command[:min(len(command), 32)], l)
}

// injection is the one write of two commands. The second has no effect.
const injection = "STARTTLS\r\nDATE\r\n"

// guardInjection is the guard of a prober whose Injection is on.
func guardInjection(l probe.Level, plain []byte) (label string, err error) {
	if l >= probe.LevelHandshake && string(plain) == injection {
		return "STARTTLS and DATE in one write", nil
	}
	return guard(l, plain)
}
