package scan

import (
	"net/netip"
	"time"
)

// An address on which several calls weren't answered, and none was, most likely has nobody: its further endpoints are held
// back, and tried last with a shorter time to answer the call, which their results tell. One answer, a refusal included, and
// they are tried like others.
const (
	silentCalls = 3
	briefDial   = 1500 * time.Millisecond // the first SYN repeated after a second (RFC 6298 §2), and half a second for the answer
	// maxSilent bounds the addresses that are remembered: behind it memory begins anew, since a host's endpoints are close in the
	// order. maxHeld bounds the endpoints that are held back, and how many others go before them.
	maxSilent = 1 << 13
	maxHeld   = 1 << 14
	heard     = 255 // silences of an address that has answered
)

// silence remembers who didn't answer. It belongs to the scheduler's goroutine.
type silence struct {
	calls map[netip.Addr]uint8 // that weren't answered
	held  map[netip.Addr][]*attempt
	order []heldAddr // by the time the first endpoint of an address was held back
	n     int        // endpoints held back
	fed   int        // endpoints that came
}

type heldAddr struct {
	addr netip.Addr
	fed  int
}

func newSilence() silence {
	return silence{calls: map[netip.Addr]uint8{}, held: map[netip.Addr][]*attempt{}}
}

// suspects reports whether nobody seems to be at an address.
func (s *silence) suspects(a netip.Addr) bool {
	n := s.calls[a]
	return n >= silentCalls && n != heard
}

// note takes down how a probe of an address went, and returns what was held back if somebody is there.
func (s *silence) note(a *attempt) (released []*attempt) {
	addr := a.Target.Addr.Addr()
	n, known := s.calls[addr]
	if !known && len(s.calls) >= maxSilent {
		clear(s.calls)
	}
	switch {
	case n == heard:
	case a.call == callAnswered:
		s.calls[addr] = heard
		released = s.release(addr)
	case a.call == callUnanswered:
		s.calls[addr] = min(n+1, heard-1)
	}
	return released
}

// hold keeps an endpoint for later.
func (s *silence) hold(a *attempt) {
	addr := a.Target.Addr.Addr()
	if s.held[addr] == nil {
		s.order = append(s.order, heldAddr{addr, s.fed})
	}
	s.held[addr] = append(s.held[addr], a)
	s.n++
}

// due returns endpoints that were held back for long enough, those of one address; all's are if nothing else is left.
func (s *silence) due(all bool) []*attempt {
	for len(s.order) > 0 && (all || s.n > maxHeld || s.fed-s.order[0].fed > maxHeld) {
		addr := s.order[0].addr
		s.order = s.order[1:]
		if list := s.release(addr); len(list) > 0 {
			for _, a := range list {
				a.brief = true
			}
			return list
		}
	}
	return nil
}

func (s *silence) release(addr netip.Addr) []*attempt {
	list := s.held[addr]
	delete(s.held, addr)
	s.n -= len(list)
	return list
}
