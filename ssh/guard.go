package ssh

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// The messages that a client without a credential sends, in their order (RFC 4250 §4.1.2).
const (
	sendKexInit    = 20
	sendNewKeys    = 21
	sendDHInit     = 30 // KEXDH_INIT and KEX_ECDH_INIT (RFC 4253 §8, RFC 5656 §4)
	sendGexInit    = 32 // KEX_DH_GEX_INIT (RFC 4419 §3)
	sendGexRequest = 34 // KEX_DH_GEX_REQUEST
)

const (
	// Ciphertext can't be read: what it may be is bounded by number and size. A service request and one for the method
	// none take 84 to 140 bytes with the longest MAC and padding that the library uses.
	cipherMessages = 2
	cipherSize     = 160
	hostSize       = 64 // a contact's name, which is part of the user's
	// A public value is a point of 32 to 133 bytes, a number of 1024 to 8192 bits, or 1,216 bytes of ML-KEM and X25519.
	leastPublic, mostPublic = 32, 1216
	// The group's size in bits that may be asked for (RFC 8270 §3, RFC 4419 §3).
	leastGroup, mostGroup = 2048, 8192
	smallGroup            = 1024 // the least with the knob that asks how small they are
	blockSize             = 8    // without encryption (RFC 4253 §6)
	leastPadding          = 4
)

// A sentry is the guard of one connection: it knows how far the conversation is.
type sentry struct {
	hello      string // the one identification
	ciphertext int    // the longest message of it
	next       []step
	said       int // messages of ciphertext
}

// A step is a message that may come next.
type step struct {
	number byte // of the message; 0 for what isn't a packet
	label  string
	level  probe.Level
	right  func(payload []byte) error
	then   []step
}

// newGuard makes the allow-list of one connection.
func (p Prober) newGuard(visitor probe.Contact) probe.Guard {
	g := &sentry{hello: "SSH-2.0-handclasp\r\n", ciphertext: cipherSize, next: usual}
	if p.GroupExchange {
		g.next = withSmallGroups
	}
	if visitor.Mail != "" {
		g.hello = "SSH-2.0-handclasp " + visitor.Mail + "\r\n"
	}
	if visitor.Host != "" {
		g.ciphertext += hostSize
	}
	return g.check
}

// The conversations that doc.go lists.
var usual, withSmallGroups = conversation(leastGroup), conversation(smallGroup)

// conversation is the tree of what may be sent: the key exchange is of one kind or the other.
func conversation(least uint32) []step {
	groupSizes := func(payload []byte) error { return groupSizes(payload, least) }
	cipher := []step{{label: "ciphertext", level: probe.LevelAnonymous}}
	newKeys := []step{{number: sendNewKeys, label: "NEWKEYS", level: probe.LevelAnonymous, right: nothing, then: cipher}}
	gexInit := []step{{number: sendGexInit, label: "KEX_DH_GEX_INIT", right: publicValue, then: newKeys}}
	exchange := []step{
		{number: sendDHInit, label: "KEXDH_INIT or KEX_ECDH_INIT", right: publicValue, then: newKeys},
		{number: sendGexRequest, label: "KEX_DH_GEX_REQUEST", right: groupSizes, then: gexInit},
	}
	lists := []step{{number: sendKexInit, label: "KEXINIT", right: plainLists, then: exchange}}
	return []step{{label: "identification", then: lists}}
}

func (g *sentry) check(l probe.Level, plain []byte) (label string, err error) {
	if l < probe.LevelHandshake {
		return "", fmt.Errorf("nothing is sent at level %v", l)
	}
	first := g.next[0]
	switch {
	case first.label == "identification":
		if string(plain) != g.hello {
			return "", errors.New("a conversation begins with the identification")
		}
		g.next = first.then
		return first.label, nil
	case first.label == "ciphertext":
		if l < first.level || g.said == cipherMessages || len(plain) == 0 || len(plain) > g.ciphertext {
			return "", fmt.Errorf("%d bytes of ciphertext behind %d messages of it", len(plain), g.said)
		}
		g.said++
		return first.label, nil
	}
	payload, err := decode(plain)
	if err != nil {
		return "", err
	}
	for _, s := range g.next {
		if s.number != payload[0] {
			continue
		}
		if l < s.level {
			return "", fmt.Errorf("%s at level %v", s.label, l)
		}
		if err := s.right(payload[1:]); err != nil {
			return "", fmt.Errorf("%s: %w", s.label, err)
		}
		g.next = s.then
		return s.label, nil
	}
	return "", fmt.Errorf("message %d where one of %s is due", payload[0], g.due())
}

func (g *sentry) due() string {
	names := make([]string, len(g.next))
	for i, s := range g.next {
		names[i] = s.label
	}
	return strings.Join(names, ", ")
}

// decode returns the payload of exactly one packet without encryption (RFC 4253 §6).
func decode(packet []byte) (payload []byte, err error) {
	r := reader(packet)
	length, padding := r.number(), r.byte()
	switch size := len(packet); {
	case r == nil:
		return nil, errors.New("not a packet")
	case size%blockSize != 0 || int64(length) != int64(size)-4:
		return nil, fmt.Errorf("%d bytes that say they are a packet of %d", size, length)
	case padding < leastPadding || int(padding) >= len(r):
		return nil, fmt.Errorf("%d bytes of padding", padding)
	}
	return r[:len(r)-int(padding)], nil
}

// nothing is the payload of NEWKEYS behind its number (RFC 4253 §7.3).
func nothing(payload []byte) error {
	if len(payload) != 0 {
		return errors.New("it has no content")
	}
	return nil
}

// publicValue is one string or number (RFC 4251 §5) and no more.
func publicValue(payload []byte) error {
	r := reader(payload)
	value := r.string()
	if r == nil || len(r) != 0 || len(value) < leastPublic || len(value) > mostPublic {
		return errors.New("not one public value")
	}
	return nil
}

// groupSizes are the least, the preferred and the largest size (RFC 4419 §3).
func groupSizes(payload []byte, allowed uint32) error {
	r := reader(payload)
	least, preferred, most := r.number(), r.number(), r.number()
	if r == nil || len(r) != 0 || least < allowed || preferred < least || most < preferred || most > mostGroup {
		return errors.New("not three sizes of groups")
	}
	return nil
}

// plainLists are those of KEXINIT (RFC 4253 §7.1), without compression, languages and a guess.
func plainLists(payload []byte) error {
	const cookie, lists, compression, languages = 16, 10, 6, 8
	r := reader(payload)
	r.take(cookie)
	for i := range lists {
		list := r.string()
		switch {
		case i >= languages && len(list) != 0:
			return errors.New("languages")
		case i >= compression && i < languages && string(list) != "none":
			return errors.New("compression")
		case slices.ContainsFunc(list, func(c byte) bool { return c <= ' ' || c > '~' }):
			return errors.New("names that aren't ASCII") // RFC 4251 §6
		}
	}
	guess, reserved := r.byte(), r.number()
	if r == nil || len(r) != 0 || guess != 0 || reserved != 0 {
		return errors.New("not ten lists, no guess and four zeros")
	}
	return nil
}

// A reader takes off what a message begins with. It is nil when something was missing.
type reader []byte

func (r *reader) take(n int) []byte {
	if *r == nil || n > len(*r) {
		*r = nil
		return nil
	}
	b := (*r)[:n:n]
	*r = (*r)[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) number() uint32 {
	if b := r.take(4); b != nil {
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	}
	return 0
}

func (r *reader) string() []byte {
	n := r.number()
	if uint64(n) > uint64(len(*r)) {
		*r = nil
		return nil
	}
	return r.take(int(n))
}
