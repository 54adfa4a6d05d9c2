package finding

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// An Accept is a risk that somebody takes: a finding that is known, and left as it is. All but Items and Until is needed.
type Accept struct {
	Rule string // its id, such as "rsync.module-open"
	// Endpoint says where: an address, a range such as 192.0.2.0/24, a name, *.example.net for all names below it, or * for
	// everything; behind it may stand a port and a network, as in [2001:db8::/32]:137/udp.
	Endpoint string
	// Items are the things of the finding that are accepted; nil for all, those of later scans too.
	Items  []string
	Until  time.Time // the last day, in UTC; zero for no end
	Reason string
	By     string
}

// Check says what is missing or can't be used.
func (a Accept) Check() error {
	for _, field := range []struct{ name, value string }{{"rule", a.Rule}, {"endpoint", a.Endpoint}, {"reason", a.Reason}, {"by", a.By}} {
		if strings.TrimSpace(field.value) == "" {
			return fmt.Errorf("%s is missing", field.name)
		}
	}
	if _, err := parsePlace(a.Endpoint); err != nil {
		return fmt.Errorf("endpoint %q: %w", a.Endpoint, err)
	}
	return nil
}

// An Acceptance says that a finding, or some of its items, is accepted, until when, why and by whom.
type Acceptance struct {
	Items  []string `json:"items,omitempty"` // those of the finding's that are accepted; left out if it is as a whole
	Until  string   `json:"until,omitempty"` // the last day, such as "2027-03-31"; left out if there is none
	Reason string   `json:"reason"`
	By     string   `json:"by"`
}

// String returns "a public mirror (Jo Admin, until 2027-03-31)".
func (a Acceptance) String() string {
	who := a.By
	if a.Until != "" {
		who += ", until " + a.Until
	}
	return fmt.Sprintf("%s (%s)", a.Reason, who)
}

// IsAccepted reports whether the finding is accepted with all that it is about. One of which a part is accepted isn't.
func (f Finding) IsAccepted() bool {
	if len(f.Accepted) == 0 {
		return false
	}
	covered := map[string]bool{}
	for _, a := range f.Accepted {
		if len(a.Items) == 0 {
			return true
		}
		for _, item := range a.Items {
			covered[item] = true
		}
	}
	return len(f.Items) > 0 && !slices.ContainsFunc(f.Items, func(item Item) bool { return !covered[item.Value] })
}

// Open returns the findings that aren't accepted; never nil. If none is, they are the same list.
func Open(all []Finding) []Finding {
	if all != nil && !slices.ContainsFunc(all, Finding.IsAccepted) {
		return slices.Clip(all)
	}
	open := []Finding{}
	for _, f := range all {
		if !f.IsAccepted() {
			open = append(open, f)
		}
	}
	return open
}

// A Use is what became of an [Accept].
type Use string

// The uses. Of several the first one counts.
const (
	UseApplied  Use = "applied"   // it accepted a finding
	UseExpired  Use = "expired"   // it would have, before its last day had passed
	UseNotFound Use = "not found" // its endpoint was asked, and no such finding made
	UseNotAsked Use = "not asked" // no endpoint that it names was
)

var uses = []Use{UseApplied, UseExpired, UseNotFound, UseNotAsked}

// An Acceptor marks the findings of records as accepted, and remembers what was of use. It is used by one goroutine at a time.
type Acceptor struct{ entries []accepting }

type accepting struct {
	Accept
	place place
	use   Use
}

// NewAcceptor returns one for a list of accepted risks.
func NewAcceptor(list []Accept) (*Acceptor, error) {
	a := new(Acceptor)
	for i, entry := range list {
		if err := entry.Check(); err != nil {
			return nil, fmt.Errorf("accepted risk %d: %w", i+1, err)
		}
		where, _ := parsePlace(entry.Endpoint) // as Check did
		a.entries = append(a.entries, accepting{entry, where, UseNotAsked})
	}
	return a, nil
}

// Mark returns the record's findings, each with what accepts it. Whether that has come to its end is judged as of the time of
// the probe. What marked them before counts no more.
func (a *Acceptor) Mark(r Record) []Finding {
	marked := slices.Clone(r.Findings)
	for i := range marked {
		marked[i].Accepted = nil
	}
	for i := range a.entries {
		e := &a.entries[i]
		if !e.place.covers(r.Target) {
			continue
		}
		e.note(UseNotFound)
		for j := range marked {
			f := &marked[j]
			items := e.among(f.Items)
			if f.ID != e.Rule || len(e.Items) > 0 && len(items) == 0 {
				continue
			}
			if !e.Until.IsZero() && !r.Started.Before(dayOf(e.Until).AddDate(0, 0, 1)) {
				e.note(UseExpired)
				continue
			}
			e.note(UseApplied)
			f.Accepted = append(f.Accepted, e.acceptance(items))
		}
	}
	return marked
}

// Uses returns what became of each of the list, in its order.
func (a *Acceptor) Uses() []Use {
	all := make([]Use, len(a.entries))
	for i, e := range a.entries {
		all[i] = e.use
	}
	return all
}

func (e *accepting) note(u Use) {
	if slices.Index(uses, u) < slices.Index(uses, e.use) {
		e.use = u
	}
}

// among returns those of a finding's items that are accepted; nil if all are, whatever they may be.
func (e *accepting) among(items []Item) (accepted []string) {
	for _, item := range items {
		if slices.Contains(e.Items, item.Value) {
			accepted = append(accepted, item.Value)
		}
	}
	return accepted
}

func (e *accepting) acceptance(items []string) Acceptance {
	a := Acceptance{Items: items, Reason: e.Reason, By: e.By}
	if !e.Until.IsZero() {
		a.Until = dayOf(e.Until).Format(time.DateOnly)
	}
	return a
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// A place is where a risk is accepted. Its zero value is everywhere.
type place struct {
	prefix  netip.Prefix
	name    string // whole, or the end of one with its dot
	port    uint16
	network probe.Network
}

func parsePlace(text string) (p place, err error) {
	host := text
	for _, network := range []probe.Network{probe.TCP, probe.UDP} {
		if bare, ok := strings.CutSuffix(text, "/"+string(network)); ok {
			host, p.network = bare, network
		}
	}
	if bare, port, ok := cutPort(host); ok {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return p, errors.New("a port is a number from 1 to 65535")
		}
		host, p.port = bare, uint16(n)
	}
	if p.network != "" && p.port == 0 {
		return p, errors.New("a network needs a port in front: 192.0.2.7:137/udp")
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "*" {
		return p, nil
	}
	if prefix, err := netip.ParsePrefix(host); err == nil {
		p.prefix = prefix.Masked()
		return p, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		p.prefix = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		return p, nil
	}
	p.name = strings.ToLower(strings.TrimSuffix(host, "."))
	if below, ok := strings.CutPrefix(p.name, "*."); ok {
		p.name = "." + below
	}
	if !isName(p.name) {
		return p, errors.New("write an address, a range such as 192.0.2.0/24, a name, *.example.net or *")
	}
	return p, nil
}

// cutPort takes a port off: behind a bracket, or behind the only colon.
func cutPort(text string) (host, port string, ok bool) {
	if host, port, ok = strings.Cut(text, "]:"); ok {
		return host + "]", port, true
	}
	if strings.Count(text, ":") == 1 {
		return strings.Cut(text, ":")
	}
	return text, "", false
}

// isName reports whether text may be a name, or the end of one behind a dot. The last part of a name is no number.
func isName(text string) bool {
	labels := strings.Split(strings.TrimPrefix(text, "."), ".")
	for _, label := range labels {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func (p place) covers(t probe.Target) bool {
	if p.port != 0 && p.port != t.Addr.Port() || p.network != "" && p.network != cmp.Or(t.Network, probe.TCP) {
		return false
	}
	name := strings.ToLower(strings.TrimSuffix(t.Name, "."))
	switch {
	case p.prefix.IsValid():
		return p.prefix.Contains(t.Addr.Addr().Unmap().WithZone(""))
	case strings.HasPrefix(p.name, "."):
		return strings.HasSuffix(name, p.name)
	}
	return p.name == "" || p.name == name
}
