package finding

import (
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A Confirmation says after how many scans something is believed, counting only those that learned it. Zero is the default.
type Confirmation struct {
	New  int // fires in so many of the last Of; 1
	Of   int // 1, or New if that is more; 64 at most
	Gone int // isn't so in so many in a row; 2 for a state over many scans, 1 between two
}

func (c Confirmation) orDefault(gone int) Confirmation {
	c.New = max(c.New, 1)
	c.Of = min(max(c.Of, c.New), 64)
	if c.Gone < 1 {
		c.Gone = gone
	}
	return c
}

// A Standing is what is known of an endpoint from all scans until now.
type Standing struct {
	First    time.Time   `json:"first"`    // asked first
	Answered time.Time   `json:"answered"` // somebody spoke last; zero if never
	Learned  time.Time   `json:"learned"`  // a probe came to its end last; zero if never
	Up       bool        `json:"up"`       // and is expected to
	Scope    Scope       `json:"scope,omitempty"`
	Level    probe.Level `json:"level"` // the furthest that was asked
	Protocol string      `json:"protocol"`
	// Heard are the addresses that spoke.
	Heard []string            `json:"heard"`
	Open  map[string]*Held    `json:"open"`  // by rule
	Facts map[string]*History `json:"facts"` // by path

	prior    func(rule int) (letter byte, reason string) // of the one scan before; nil for a state over many
	stranger func(id string) (letter byte, reason string)
}

// Scope says why an endpoint isn't watched any more; empty for one that is.
type Scope string

// The scopes.
const (
	OutOfScope Scope = "out of scope" // a complete scan no longer asks it
	Retired    Scope = "retired"      // it hasn't spoken for 30 days
)

// retireAfter is how long an endpoint may be silent, and rememberFor how long a value of a fact isn't news.
const (
	retireAfter = 30 * 24 * time.Hour
	rememberFor = 30 * 24 * time.Hour
)

// A Held finding is one that was seen and not resolved yet.
type Held struct {
	Severity  Severity             `json:"severity"`
	Known     Known                `json:"known"`
	Items     map[string]*HeldItem `json:"items,omitempty"` // by value
	With      []Endpoint           `json:"with,omitempty"`  // of a comparison: the others, 8 at most
	Detail    string               `json:"detail,omitempty"`
	Basis     []string             `json:"basis,omitempty"`
	Accepted  []Acceptance         `json:"accepted,omitempty"`
	By        string               `json:"by,omitempty"` // digests of the data that it was judged by
	First     time.Time            `json:"first"`        // seen so
	Confirmed time.Time            `json:"confirmed"`    // told; zero while it waits
	Last      time.Time            `json:"last"`         // seen so
	Hits      uint64               `json:"hits"`         // of the last scans that learned it, the latest in the lowest bit
	Misses    int                  `json:"misses,omitempty"`
	Unknown   int                  `json:"unknown,omitempty"` // scans since that didn't learn it
	Reason    string               `json:"reason,omitempty"`  // why the last one didn't

	retold bool
	own    Severity // as [ruling] has it, of one scan
}

// An HeldItem is a thing that a held finding is about.
type HeldItem struct {
	Basis  string `json:"basis"`
	Hits   uint64 `json:"hits"`
	Misses int    `json:"misses,omitempty"`
	Told   bool   `json:"told"`
}

// A History is what a fact was lately.
type History struct {
	Values []string             `json:"values"`         // now
	Seen   map[string]time.Time `json:"seen"`           // when last, of those that were within 30 days
	Pool   bool                 `json:"pool,omitempty"` // the values take turns
	// From is what named a value of software, such as "greeting"; absent for other facts, and if it isn't known.
	From map[string]string `json:"from,omitempty"`
}

func (h *Held) item(value string) *HeldItem { return h.Items[value] }

// told lists the items that were confirmed, in order.
func (h *Held) told() (items []Item) {
	for value, i := range h.Items {
		if i.Told {
			items = append(items, Item{value, i.Basis})
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Value, b.Value) })
	return items
}

// see adds a scan in which a thing fired, or not, to its last ones.
func see(hits *uint64, fired bool) {
	*hits <<= 1
	if fired {
		*hits |= 1
	}
}

// An OpenFinding is one that was confirmed and isn't resolved.
type OpenFinding struct {
	Endpoint  Endpoint  `json:"endpoint"`
	Rule      string    `json:"rule"`
	Severity  Severity  `json:"severity"`
	Items     string    `json:"items"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Unknown   int       `json:"unknown_scans"` // scans since LastSeen that didn't learn it
	Reason    string    `json:"reason"`        // why the last one didn't
	// Accepted says that it is taken as a risk, or that some of its items are, until when, why and by whom; left out if it isn't.
	Accepted []Acceptance `json:"accepted,omitempty"`
}
