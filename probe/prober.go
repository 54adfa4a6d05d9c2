package probe

import (
	"context"
	"errors"
	"time"
)

// A Prober performs one protocol's safe handshake. Implementations are values: they keep no state between calls, and
// one may probe many targets at once.
type Prober interface {
	Spec() Spec
	// Probe holds the conversation over s. The evidence is valid, if partial, beside an error. Errors should be, or
	// wrap, an [*Error]; those of s already are. Probe returns soon after a method of s failed.
	Probe(ctx context.Context, s *Session) (Evidence, error)
}

// Spec describes a protocol.
type Spec struct {
	// Protocol is the JSON discriminator, such as "ftp".
	Protocol string
	// Ports lists where the protocol lives by default, the usual one first.
	Ports []Port
	// Companions lists other ports of a target's host that [Session.OpenCompanion] may reach: NetBIOS names its session
	// service's listeners on another one. Most protocols have none.
	Companions []Port
	// Guard makes the guard of one connection: in some protocols the same bytes are right or wrong by what was sent
	// before them, such as SSH's ciphertext behind NEWKEYS. A guard remembers only what it let pass, and is used by one
	// goroutine at a time. It is told what the visitor says of itself. A nil Guard refuses every write.
	Guard func(Contact) Guard
	// Bounds say what a probe costs at most. The session holds the prober to them.
	Bounds Bounds
	// Evidence returns a new, empty evidence struct, into which [Decode] restores stored evidence. It may be nil: the
	// evidence then stays [RawEvidence] until [As] asks for its type.
	Evidence func() Evidence
}

// NewGuard returns the guard of a new connection; one that refuses everything if the Spec has none.
func (s Spec) NewGuard(c Contact) Guard {
	if s.Guard != nil {
		if g := s.Guard(c); g != nil {
			return g
		}
	}
	return refuseAll
}

func refuseAll(Level, []byte) (string, error) { return "", errors.New("the protocol has no guard") }

// Bounds say what a probe costs at most, at each level.
type Bounds struct{ Greeting, Handshake, Anonymous Bound }

// A Bound is the most connections that a probe opens, and the longest time that it takes. Zero leaves it to the limits,
// which hold as well if they are less.
type Bound struct {
	Conns int
	Time  time.Duration
}

// At returns the bound of a level.
func (b Bounds) At(l Level) Bound {
	switch l {
	case LevelGreeting:
		return b.Greeting
	case LevelHandshake:
		return b.Handshake
	}
	return b.Anonymous
}

// A Port is a default port of a protocol.
type Port struct {
	Network     Network
	Number      uint16
	ImplicitTLS bool // TLS from the first byte
	// Scheme is what a URL calls the port's way of speaking, if it isn't the protocol's name, with an s behind it if
	// TLS comes first: "smb+nbt". What it names may be spoken on other ports too: see scan.SchemeProber.
	Scheme string
}

// Network is "tcp" or "udp".
type Network string

// The networks. The empty string stands for TCP.
const (
	TCP Network = "tcp"
	UDP Network = "udp"
)

// A Guard re-parses plaintext that is about to be written, on its own and not with the code that composed it, and
// names it ("AUTH TLS") or refuses it with an error. It knows the level. Every [Conn.Send] of a session goes through
// it, one call for one message.
type Guard func(l Level, plain []byte) (label string, err error)

// Evidence is a pointer to a protocol's evidence struct, such as *ftp.Evidence.
type Evidence interface {
	// Protocol returns the name in the protocol's Spec. It works on a nil pointer.
	Protocol() string
}
