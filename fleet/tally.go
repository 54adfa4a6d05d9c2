package fleet

// A Tally is how far shards have come.
type Tally struct {
	Worker   string `json:"worker,omitempty"` // who has the shard; empty for nobody, or for several shards
	Done     int64  `json:"done"`             // endpoints
	Open     int64  `json:"open"`             // of them, those where somebody answered the call
	Findings int64  `json:"findings"`
	Finished bool   `json:"finished,omitempty"`
	Fails    int    `json:"fails,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

func (p *progress) tally() Tally {
	t := Tally{Worker: p.Worker, Finished: p.finished(), Fails: p.Fails, Reason: p.Reason}
	if p.Scan != nil {
		t.Done, t.Open, t.Findings = p.Scan.Done, p.Scan.Open, p.Scan.Findings
	}
	return t
}
