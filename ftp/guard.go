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
	command := string(line)
	if l < probe.LevelHandshake {
		return "", fmt.Errorf("%q below level handshake", clip(plain))
	}
	switch command {
	case "FEAT", "SYST", "AUTH TLS", "AUTH SSL", "PBSZ 0", "PROT P", "PWD", "QUIT",
		"USER handclasp-no-such-user", "USER anonymous":
		return command, nil
	case "PASV", "EPSV", "LIST", "MLSD":
		if l >= probe.LevelAnonymous {
			return command, nil
		}
		return "", fmt.Errorf("%s below level anonymous", command)
	}
	if domain, ok := strings.CutPrefix(command, "PASS handclasp@"); ok && isDomain(domain) {
		return command, nil
	}
	return "", fmt.Errorf("%q is not on the list", clip(plain))
}

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
