package finding

import (
	"slices"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// A Status says what became of a finding between two scans.
type Status string

// The statuses.
const (
	New Status = "new"
	// Changed means that it is about more or less than before, or rated otherwise. What was added counts as new does.
	Changed Status = "changed"
	// Resolved means that it isn't so, in a result that learned that; or that nobody listens there any more.
	Resolved Status = "resolved"
	// Unknown means that it wasn't learned, this time or before.
	Unknown   Status = "unknown"
	Unchanged Status = "unchanged"
)

// A Change is one finding of one endpoint, and what became of it.
type Change struct {
	Status   Status       `json:"status"`
	Protocol string       `json:"protocol"`
	Target   probe.Target `json:"target"`
	Finding  Finding      `json:"finding"` // the newer scan's, if that has it
	// Reason says why the status is unknown; empty otherwise.
	Reason   string   `json:"reason"`
	Endpoint Endpoint `json:"endpoint"`
	// Was is the severity before, if that changed; else absent.
	Was     Severity `json:"was,omitempty"`
	Added   []Item   `json:"added"`   // items that weren't there before; empty if the whole finding is new
	Removed []Item   `json:"removed"` // items that were there before
	// FirstSeen is when a scan saw it so first, and Confirmed when it was believed. Of a resolved one, that it isn't so.
	FirstSeen time.Time `json:"first_seen"`
	Confirmed time.Time `json:"confirmed"`
}

// Alarming reports whether the change is to be told to whom severities from least on are to be told: a new finding, a finding
// with new items, or one that became more severe; but not if that is accepted.
func (c Change) Alarming(least Severity) bool {
	if least == 0 || c.Finding.Severity < least || c.Finding.IsAccepted() {
		return false
	}
	added := Finding{Items: c.Added, Accepted: c.Finding.Accepted}
	return c.Status == New || c.Status == Changed && (len(c.Added) > 0 && !added.IsAccepted() || c.Was != 0 && c.Was < c.Finding.Severity)
}

// A NoteKind says what a [Note] is about.
type NoteKind string

// The kinds of notes.
const (
	NoteFact       NoteKind = "fact"         // an identifying fact changed
	NotePool       NoteKind = "pool"         // values of a fact take turns; told once
	NoteMoved      NoteKind = "moved"        // a name has other addresses
	NoteRenamed    NoteKind = "renamed"      // what was asked by name is asked by address, or the other way round
	NoteBlind      NoteKind = "blind"        // too much of a group was lost at once to be believed
	NoteCause      NoteKind = "cause"        // differences that follow from how it was asked or judged
	NoteOutOfScope NoteKind = "out_of_scope" // a complete scan no longer asks it
	NoteRetired    NoteKind = "retired"      // it hasn't spoken for 30 days
)

// A Note is what a comparison tells beside findings.
type Note struct {
	Kind     NoteKind `json:"note"`
	Endpoint Endpoint `json:"endpoint"` // zero for a group or a cause
	Group    string   `json:"group"`    // of blindness
	Fact     string   `json:"fact"`     // the fact's path, its protocol in front: "ssh:/evidence/host_keys/ssh-ed25519/sha256"
	Old      []string `json:"old"`
	New      []string `json:"new"`
	// Count is how many endpoints were lost, or findings have the cause, and Of how many there were before.
	Count int    `json:"count"`
	Of    int    `json:"of"`
	Text  string `json:"text"` // for people
}

// A Delta is what differs between two scans.
type Delta struct {
	Changes   []Change // by status in the order above, the most severe first
	Notes     []Note
	Unchanged int
	// Complete says whether the newer scan asked every target.
	Complete probe.Fact
	// Known counts the findings that were known before, and Lost those of them that weren't learned.
	Known, Lost int
}

// Worst returns the most severe change that is to be told to somebody; 0 if none is.
func (d Delta) Worst() (worst Severity) {
	for _, c := range d.Changes {
		if c.Alarming(Info) {
			worst = max(worst, c.Finding.Severity)
		}
	}
	return worst
}

// Blind reports whether too much of a group was lost at once.
func (d Delta) Blind() bool {
	return slices.ContainsFunc(d.Notes, func(n Note) bool { return n.Kind == NoteBlind })
}
