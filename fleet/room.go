package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// A server reserves what a stream may hold at most, and has no further streams when its disk, or what it may use of that, is
// reserved. So a scan takes what it may need while it runs, and a little more than it holds when it has ended.

// errNoRoom is the server's: all that it may store is reserved.
const errNoRoom = 10047

func noRoom(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == errNoRoom
}

// createData makes the stream of results and states. Of a server that has little left a scan takes half, unless it says how much it
// needs, so that others find room beside it.
func createData(ctx context.Context, js jetstream.JetStream, s *Scan) error {
	create := func(n int64) error {
		_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: dataStream(s.ID), Subjects: []string{"hc." + s.ID + ".result.>", "hc." + s.ID + ".state.>"},
			MaxBytes: n, Discard: jetstream.DiscardNew, AllowAtomicPublish: true, AllowRollup: true,
		})
		return err
	}
	var err error
	n := s.MaxBytes
	if n > 0 {
		err = create(n)
	} else {
		n = DefaultMaxBytes
		for err = create(2 * n); noRoom(err) && n > MinMaxBytes; err = create(2 * n) {
			n /= 2
		}
		if err == nil {
			err = create(n)
		}
	}
	if noRoom(err) {
		return refusal{fmt.Errorf("the server has no room for %d MB of results beside what other scans may need: remove some, or give it more disk", n>>20)}
	}
	return err
}

// settle gives back what a scan that has ended reserved and doesn't need. What is on its way has room.
func settle(ctx context.Context, js jetstream.JetStream, s *Scan) error {
	stream, err := js.Stream(ctx, dataStream(s.ID))
	if errors.Is(err, jetstream.ErrStreamNotFound) { // it was cancelled before it began
		return nil
	}
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	n := int64(info.State.Bytes) + MinMaxBytes
	if n >= info.Config.MaxBytes {
		return nil
	}
	info.Config.MaxBytes = n
	_, err = js.UpdateStream(ctx, info.Config)
	return err
}

// Remove forgets a scan that has ended, and all that the server holds of it. What wasn't collected is lost.
func (c *Client) Remove(ctx context.Context, id string) error {
	s, _, err := get(ctx, c.kv, id)
	if err != nil {
		return err
	}
	if s.Phase == Submitted || s.Phase == Running {
		return fmt.Errorf("the scan %s is %s: cancel it first", id, s.Phase)
	}
	for _, stream := range []string{workStream(id), dataStream(id), "OBJ_" + objects(id)} {
		if err := c.js.DeleteStream(ctx, stream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
	}
	return c.kv.stream.Purge(ctx, jetstream.WithPurgeSubject("$KV."+scansBucket+"."+id)) // at last: until then it can be said again
}
