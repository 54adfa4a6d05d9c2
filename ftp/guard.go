package ftp

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// newGuard makes the allow-list of one connection: whole lines, and nothing else. It knows what the connection sent before, since
// a password may only follow the name anonymous.
func (Prober) newGuard(visitor probe.Contact) probe.Guard {
	madeUp, password := "handclasp", "handclasp@handclasp.invalid"
	if visitor.Host != "" {
		madeUp = visitor.Host
	}
	if visitor.Mail != "" {
		password = visitor.Mail
	}
	before := ""
	return func(l probe.Level, plain []byte) (label string, err error) {
		line, ok := bytes.CutSuffix(plain, []byte("\r\n"))
		switch {
		case !ok:
			return "", fmt.Errorf("%q doesn't end in CRLF", clip(plain))
		case slices.ContainsFunc(line, func(b byte) bool { return b < ' ' || b > '~' }):
			return "", fmt.Errorf("%q holds a byte that isn't printable ASCII", clip(plain))
		case l < probe.LevelHandshake:
			return "", fmt.Errorf("%q below level handshake", clip(plain))
		}
		command := string(line)
		switch {
		case slices.Contains(handshakeCommands, command), command == "USER "+madeUp+"-no-such-user":
		case slices.Contains(anonymousCommands, command):
			if l < probe.LevelAnonymous {
				return "", fmt.Errorf("%s below level anonymous", command)
			}
		case command == "PASS "+password:
			if before != "USER anonymous" {
				return "", fmt.Errorf("%s behind %q", command, before)
			}
		default:
			return "", fmt.Errorf("%q is not on the list", clip(plain))
		}
		before = command
		return command, nil
	}
}

var (
	handshakeCommands = []string{"FEAT", "SYST", "AUTH TLS", "AUTH SSL", "PBSZ 0", "PROT P", "PWD", "QUIT", "USER anonymous"}
	anonymousCommands = []string{"PASV", "EPSV", "LIST", "MLSD"}
)

func clip(b []byte) []byte { return b[:min(len(b), 64)] }
