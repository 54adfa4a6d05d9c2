package smtp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
)

// nameLength is the number of letters in a name to verify: too many for one to exist by chance.
const nameLength = 16

// maxCommand is the length of a command with its CRLF (RFC 5321 §4.5.3.1.4).
const maxCommand = 512

var errUnknownCommand = errors.New("not a command that this prober sends")

// guard makes the allow-list of one connection: one command with its CRLF. What only a knob asks for passes only if that knob is
// on, and what belongs to a login only behind the AUTH that begins one.
func (p Prober) newGuard(visitor probe.Contact) probe.Guard {
	loggingIn := false
	return func(l probe.Level, plain []byte) (label string, err error) {
		if l < probe.LevelHandshake {
			return "", errors.New("nothing is sent at level greeting")
		}
		// The only two commands in one write. The second is answered in cleartext, or inside TLS by a broken server, and
		// does nothing (RFC 5321 §4.1.1.9).
		if p.Injection && string(plain) == "STARTTLS\r\nNOOP\r\n" {
			return "STARTTLS with NOOP behind it", nil
		}
		line, ok := bytes.CutSuffix(plain, []byte("\r\n"))
		switch {
		case !ok:
			return "", errors.New("a command must end with CRLF")
		case len(plain) > maxCommand:
			return "", fmt.Errorf("a command of %d bytes", len(plain))
		case bytes.ContainsAny(line, "\r\n\x00"):
			return "", errors.New("a command holds CR, LF or NUL")
		}
		verb, arg, hasArg := bytes.Cut(line, []byte(" "))
		switch v := string(verb); {
		case v == "EHLO" || v == "HELO":
			own := visitor.Host
			if own == "" || !isDomainName(own) {
				own = "[127.0.0.1]"
			}
			if string(arg) != own {
				return "", fmt.Errorf("%s with %q, want %q", v, arg, own)
			}
			return v, nil
		case (v == "STARTTLS" || v == "QUIT") && !hasArg:
			return v, nil
		case p.Verify && v == "VRFY" && isRandomName(arg):
			return "VRFY of a random name", nil
		case v == "AUTH":
			mechanism, response, hasResponse := bytes.Cut(arg, []byte(" "))
			if string(mechanism) != "NTLM" || hasResponse && !isNegotiate(response) {
				return "", errors.New("AUTH for more than an NTLM challenge")
			}
			loggingIn = true
			return "AUTH NTLM", nil
		case loggingIn && v == "*" && !hasArg:
			loggingIn = false
			return "cancel AUTH", nil
		case loggingIn && !hasArg && isNegotiate(line):
			return "NTLM negotiate", nil
		}
		return "", errUnknownCommand
	}
}

// isDomainName takes the domains of RFC 5321 §4.1.2.
func isDomainName(s string) bool {
	previous := byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case (c == '.' || c == '-') && previous != '.' && i < len(s)-1:
		default:
			return false
		}
		previous = c
	}
	return s != "" && len(s) <= 255
}

// isRandomName takes random letters, alone or at a domain.
func isRandomName(b []byte) bool {
	name, domain, at := bytes.Cut(b, []byte("@"))
	if len(name) != nameLength || at && !isDomainName(string(domain)) {
		return false
	}
	for _, c := range name {
		if c < 'a' || 'z' < c {
			return false
		}
	}
	return true
}

func isNegotiate(b []byte) bool {
	message, err := base64.StdEncoding.Strict().DecodeString(string(b))
	return err == nil && ntlmssp.IsNegotiate(message)
}
