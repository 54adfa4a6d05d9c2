package netbios

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// The sizes of what is sent: a question, and a session request. Names have no scope.
const (
	questionSize = 12 + 34 + 4
	requestSize  = 4 + 34 + 34
)

// newGuard makes the allow-list of a connection, which is the same whatever was sent before.
func (Prober) newGuard(probe.Contact) probe.Guard { return guard }

// guard allows one question to the name service, or one session request, of the ones that doc.go lists.
func guard(l probe.Level, plain []byte) (label string, err error) {
	switch {
	case l < probe.LevelHandshake:
		return "", fmt.Errorf("nothing is sent at level %v", l)
	case len(plain) == questionSize:
		return guardQuestion(plain)
	case len(plain) == requestSize:
		return guardRequest(plain)
	}
	return "", fmt.Errorf("%d bytes are neither a question nor a session request", len(plain))
}

// guardQuestion takes a query (no response, operation 0), without the broadcast and every other flag, of one question.
func guardQuestion(b []byte) (label string, err error) {
	if string(b[2:12]) != "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" {
		return "", errors.New("a name service packet that isn't a plain query with one question")
	}
	name, err := plainName(b[12:46])
	if err != nil {
		return "", err
	}
	wildcard := name == "*"+strings.Repeat("\x00", 15)
	switch kind := binary.BigEndian.Uint32(b[46:]); {
	case kind == 0x00210001 && wildcard: // NBSTAT, IN
		return "NBSTAT *", nil
	case kind == 0x00200001 && wildcard: // NB, IN
		return "NB *", nil
	case kind == 0x00200001 && printable(name) && (name[15] == 0x00 || name[15] == 0x20):
		return "NB " + written(name), nil
	}
	return "", errors.New("a question for something else than a host's names and addresses")
}

// guardRequest takes a call to a file server, by the one caller.
func guardRequest(b []byte) (label string, err error) {
	if string(b[:4]) != "\x81\x00\x00\x44" {
		return "", errors.New("a session packet that isn't a request")
	}
	called, err := plainName(b[4:38])
	if err != nil {
		return "", err
	}
	calling, err := plainName(b[38:])
	switch {
	case err != nil:
		return "", err
	case calling != "HANDCLASP      \x00":
		return "", errors.New("a session request in another's name")
	case !printable(called) || called[15] != 0x20:
		return "", errors.New("a session request to something else than a file server")
	}
	return "session request " + written(called), nil
}

// plainName decodes the 34 bytes of a name without a scope (RFC 1001 §14.1).
func plainName(b []byte) (string, error) {
	if b[0] != 32 || b[33] != 0 {
		return "", errors.New("a name with a scope, or of another size")
	}
	var name strings.Builder
	for i := 1; i < 33; i += 2 {
		if b[i] < 'A' || b[i] > 'P' || b[i+1] < 'A' || b[i+1] > 'P' {
			return "", errors.New("a name that isn't encoded")
		}
		name.WriteByte((b[i]-'A')*16 + b[i+1] - 'A')
	}
	return name.String(), nil
}

// printable reports whether a name is text, not blank, and padded with spaces.
func printable(name string) bool {
	text := name[:15]
	return text[0] != ' ' && strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

func written(name string) string {
	return fmt.Sprintf("%s<%02x>", strings.TrimRight(name[:15], " "), name[15])
}
