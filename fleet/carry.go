package fleet

import (
	"context"
	"fmt"
	"io"

	"github.com/handclasp/handclasp/scan"
)

// SubmitFrom is [Client.Submit] for a scan that single machines began, as 'handclasp scan --resume' does: states are where they
// stopped, one a shard, of shards as many as the scan has. The state of a scan that wasn't cut is one of a single shard. What is done
// by then isn't asked again.
func (c *Client) SubmitFrom(ctx context.Context, s *Scan, inputs, exclude io.ReadSeeker, states []scan.State) error {
	probers, err := s.Options.probers()
	if err != nil {
		return err
	}
	if len(s.Vantages) > 0 {
		return fmt.Errorf("a scan of several vantages begins at the start")
	}
	if s.Shards == 0 {
		s.Shards = 1
		if len(states) > 0 && states[0].Order != nil {
			first, err := scan.ParseShard(states[0].Order.Shard)
			if err != nil {
				return err
			}
			s.Shards = first.Count
		}
	}
	begun := map[int]*scan.State{}
	for _, state := range states {
		if state.Order == nil {
			continue
		}
		shard, err := scan.ParseShard(state.Order.Shard)
		if err != nil {
			return err
		}
		if shard.Count != s.Shards {
			return fmt.Errorf("%w: it began with shard %s, and there are %d", scan.ErrResume, shard, s.Shards)
		}
		order := *state.Order
		order.Exclude = "none" // what is excluded now the coordinator finds out, and workers check
		checked := scan.State{Format: state.Format, Order: &order}
		if err := checked.Check(probers, s.order(shard, nil, nil)); err != nil {
			return err
		}
		begun[shard.Index] = &state
	}
	return c.submit(ctx, s, inputs, exclude, begun)
}

// carryOver writes down where shards go on, before any of them waits.
func (c *Client) carryOver(ctx context.Context, s *Scan, begun map[int]*scan.State) error {
	if len(begun) == 0 {
		return nil
	}
	if err := createData(ctx, c.js, s); err != nil {
		return err
	}
	l := newLedger(c.nc, c.js)
	for k, state := range begun {
		u := unit{s.ID, anywhere, k}
		if _, err := l.commit(ctx, u, lot{}, progress{Scan: state}, 0); err != nil {
			return err
		}
	}
	return nil
}
