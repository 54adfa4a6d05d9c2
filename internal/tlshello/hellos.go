package tlshello

import (
	"io"
	"slices"
	"strings"
	"sync"
)

// maxSuites is how many suites are offered at once except in mode "full": some servers choke on more.
const maxSuites = 127

// weight orders what is offered: the strongest first, for servers that take the first they know.
func weight(s Suite) (w int) {
	exchange, cipher := s.parts()
	for i, bad := range []bool{
		!strings.HasPrefix(cipher, "AES"), !strings.Contains(exchange, "ECDSA"), !s.ECDHE(),
		!strings.Contains(cipher, "GCM") && !chacha(s), !s.TLS12() && !s.TLS13(), !s.common(), !s.ForwardSecrecy(), s.Block64(), s.RC4(), s.Export(), s.Anonymous(), s.Null(),
	} {
		if bad {
			w |= 1 << i
		}
	}
	return w
}

func chacha(s Suite) bool { return strings.Contains(s.Name, "_CHACHA20_") }

// byVersion are all suites of each version, the strongest first.
var byVersion = sync.OnceValue(func() map[Version][]Suite {
	ordered := slices.DeleteFunc(slices.Clone(suites), Suite.signal)
	slices.SortStableFunc(ordered, func(a, b Suite) int { return weight(a) - weight(b) })
	lists := map[Version][]Suite{}
	for _, s := range ordered {
		for _, v := range versions {
			if s.TLS13() == (v == TLS13) && (v >= TLS12 || !s.TLS12()) {
				lists[v] = append(lists[v], s)
			}
		}
	}
	return lists
})

// suitesOf returns all suites of a version of which has holds, the strongest first.
func suitesOf(v Version, has func(Suite) bool) []Suite {
	return slices.DeleteFunc(slices.Clone(byVersion()[v]), func(s Suite) bool { return has != nil && !has(s) })
}

// usual returns at most [maxSuites] of a version: all the common ones, and one of each rarer key exchange, so that a
// server that has only such isn't taken for one that refuses the version.
func usual(v Version) []Suite {
	seen := map[string]bool{}
	list := slices.DeleteFunc(suitesOf(v, nil), func(s Suite) bool {
		rare := !s.common() && seen[s.KeyExchange()]
		seen[s.KeyExchange()] = true
		return rare
	})
	return list[:min(len(list), maxSuites)]
}

func numbers(list []Suite) []uint16 {
	ids := make([]uint16, len(list))
	for i, s := range list {
		ids[i] = uint16(s.ID)
	}
	return ids
}

// A composer makes questions. Random bytes are drawn in the order in which it is asked.
type composer struct {
	name string
	rand io.Reader
}

func (c *composer) question(v Version, suites []Suite, groups []Group, signals ...uint16) (*Question, error) {
	if v < TLS13 && !slices.Equal(groups, integerGroups) && !slices.ContainsFunc(suites, func(s Suite) bool { return strings.Contains(s.KeyExchange(), "ECDH") }) {
		groups = nil // no suite needs one, and a server may hold to those of RFC 7919 alone once any is named
	}
	q := &Question{version: v, suites: numbers(suites), groups: groups}
	h := ClientHello{Version: v, Suites: append(slices.Clone(q.suites), signals...), Groups: groups, Deflate: v < TLS13, ServerName: c.name}
	if v == SSL3 {
		h.Suites = append(h.Suites, emptyRenegotiationSCSV) // SSL 3.0 has no extensions to say it by (RFC 5746 §3.3)
	}
	if _, err := io.ReadFull(c.rand, h.Random[:]); err != nil {
		return nil, err
	}
	if v == TLS13 {
		if _, err := io.ReadFull(c.rand, h.SessionID[:]); err != nil {
			return nil, err
		}
	}
	var err error
	q.Send, err = h.Append(nil)
	return q, err
}

func (c *composer) question2() (*Question, error) {
	var h ClientHello2
	if _, err := io.ReadFull(c.rand, h.Challenge[:]); err != nil {
		return nil, err
	}
	return &Question{version: SSL2, Send: h.Append(nil)}, nil
}
