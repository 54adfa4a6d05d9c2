package fleet

import "github.com/handclasp/handclasp/probe"

// A Tally is how far shards have come.
type Tally struct {
	Worker   string `json:"worker,omitempty"` // who has the shard; empty for nobody, or for several shards
	Done     int64  `json:"done"`             // endpoints
	Open     int64  `json:"open"`             // of them, those where somebody answered the call
	Findings int64  `json:"findings"`
	// Outcomes counts the results.
	Outcomes map[probe.Outcome]int64 `json:"outcomes,omitempty"`
	Finished bool                    `json:"finished,omitempty"`
	Fails    int                     `json:"fails,omitempty"`
	Reason   string                  `json:"reason,omitempty"`
	// Unresolved counts inputs whose names had no address.
	Unresolved int64 `json:"unresolved,omitempty"`
}

func (p *progress) tally() Tally {
	t := Tally{Worker: p.Worker, Finished: p.finished(), Fails: p.Fails, Reason: p.Reason, Outcomes: p.Outcomes, Unresolved: p.Nameless}
	if p.Scan != nil {
		t.Done, t.Open, t.Findings = p.Scan.Done, p.Scan.Open, p.Scan.Findings
	}
	return t
}

// add sums up.
func (t *Tally) add(o Tally) {
	t.Done += o.Done
	t.Open += o.Open
	t.Findings += o.Findings
	t.Unresolved += o.Unresolved
	if t.Outcomes == nil {
		t.Outcomes = map[probe.Outcome]int64{}
	}
	for outcome, n := range o.Outcomes {
		t.Outcomes[outcome] += n
	}
}
