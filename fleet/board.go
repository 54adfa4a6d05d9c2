package fleet

import (
	"context"
	"errors"
	"slices"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A progress is how far a shard has come, and who works on it: what is committed together with results.
type progress struct {
	Worker string `json:"worker"` // who has it; empty if it was given back
	Commit uint64 `json:"commit"` // how many there were: no two are alike
	// Fails is how many took the shard since it last went well, each of which died, lost it or met an error; Reason is the last error.
	Fails  int    `json:"fails"`
	Reason string `json:"reason"`
	// Trying are endpoints that are asked apart from others, since one of them may be what ended those workers.
	Trying []string `json:"trying"`
	// Alone is how often the only one of Trying was asked alone, without a word afterwards.
	Alone int `json:"alone"`
	// Outcomes counts the results.
	Outcomes map[probe.Outcome]int64 `json:"outcomes"`
	// Nameless counts inputs whose names had no address; Unresolved are those, as many as a footer lists.
	Nameless   int64        `json:"nameless,omitempty"`
	Unresolved []unresolved `json:"unresolved,omitempty"`
	// Scan is from where to go on; nil is the start.
	Scan *scan.State `json:"scan"`
}

// An unresolved name is one that had no address when its input was to be asked.
type unresolved struct {
	Name  string `json:"name"`
	Place string `json:"place"` // of the input
}

// addUnresolved counts an input, once: a worker that goes on with a shard may look its name up again.
func (p *progress) addUnresolved(bad *scan.InputError) {
	u := unresolved{bad.Unresolved, bad.Input.Place}
	if slices.Contains(p.Unresolved, u) {
		return
	}
	p.Nameless++
	if len(p.Unresolved) < finding.MaxUnresolved {
		p.Unresolved = append(p.Unresolved, u)
	}
}

func (p *progress) finished() bool { return p.Scan != nil && p.Scan.Finished }

// errLost says that a shard is another worker's by now, or may be.
var errLost = errors.New("the shard is another worker's now")

// errUnread says that something else than a state is in the place of one.
var errUnread = errors.New("the shard's state can't be read")

// A board is where shards wait and results go: the part of the server that workers see.
type board interface {
	// offer returns a shard that waits, nil if none does.
	offer(ctx context.Context, scan, label string) (ticket, error)
	// read returns a shard's progress and its sequence: 0 if nobody has taken it yet.
	read(ctx context.Context, u unit) (progress, uint64, error)
	// commit adds results and puts progress in place of that with the sequence last, both or neither. It returns the new
	// sequence, or errLost if there is another progress by now. It tries for as long as ctx lasts.
	commit(ctx context.Context, u unit, results lot, p progress, last uint64) (uint64, error)
	// largest is how many bytes a result may have.
	largest() int
}

// A ticket is a shard that was offered. It is offered to others again if it isn't renewed within the scan's lease.
type ticket interface {
	unit() unit
	renew() error
	done(ctx context.Context) error                // it is finished
	giveBack(ctx context.Context) error            // others may have it at once
	bury(ctx context.Context, reason string) error // nobody is to try it again
}
