package ftp

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// guard is the allow-list of FTP: the whole lines, and nothing else. It knows neither the connection nor what was said
// on it, so that one promise rests on the order of the conversation: PASS follows USER anonymous.
func guard(l probe.Level, plain []byte) (label string, err error) {
	line, ok := bytes.CutSuffix(plain, []byte("\r\n"))
	if !ok {
		return "", fmt.Errorf("%q doesn't end in CRLF", clip(plain))
	}
	for _, b := range line {
		if b < ' ' || b > '~' {
			return "", fmt.Errorf("%q holds a byte that isn't printable ASCII", clip(plain))
		}
	}
	if l < probe.LevelHandshake {
		return "", fmt.Errorf("%q below level handshake", clip(plain))
	}
	for _, command := range handshakeCommands {
		if string(line) == command {
			return command, nil
		}
	}
	for _, command := range anonymousCommands {
		if string(line) != command {
			continue
		}
		if l < probe.LevelAnonymous {
			return "", fmt.Errorf("%s below level anonymous", command)
		}
		return command, nil
	}
	if domain, ok := strings.CutPrefix(string(line), "PASS handclasp@"); ok && isDomain(domain) {
		return string(line), nil
	}
	return "", fmt.Errorf("%q is not on the list", clip(plain))
}

var (
	handshakeCommands = [...]string{
		"FEAT", "SYST", "AUTH TLS", "AUTH SSL", "PBSZ 0", "PROT P", "PWD", "QUIT",
		"USER handclasp-no-such-user", "USER anonymous",
	}
	anonymousCommands = [...]string{"PASV", "EPSV", "LIST", "MLSD"}
)

// isDomain reports whether s is a host name of letters, digits and hyphens (RFC 1123 §2.1).
func isDomain(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, b := range []byte(label) {
			switch {
			case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-':
			default:
				return false
			}
		}
	}
	return true
}

func clip(b []byte) []byte { return b[:min(len(b), 64)] }
