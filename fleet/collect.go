package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/handclasp/handclasp/report"
)

// A Place is where the collecting of results stands: how far the stream was read, and how long the output was then.
type Place struct {
	Scan      string    `json:"scan"`
	Submitted time.Time `json:"submitted"` // which tells it from another of its name, once that was removed
	Sequence  uint64    `json:"sequence"`  // of the last result in the stream of the scan
	Offset    int64     `json:"offset"`
	Ended     bool      `json:"ended"` // the scan has, and the output says so
}

// An Outlet is where collected results go. Save makes safe what was added until now and the place, both or neither.
type Outlet interface {
	// Add takes a result. Compare says that there may be findings in the light of others, which have something of it, too.
	Add(line []byte, compare bool) error
	Save(sequence uint64) error
}

// Collected results are saved after this many messages, each of up to [commitBytes] or a single result, or if none comes for a moment.
const collectMost = 16

// silence is how long the collector waits for results before it looks whether there are going to be any.
const silence = 500 * time.Millisecond

// Collect hands results to an outlet, each once and in the stream's order, from behind a sequence on. It ends when the scan has and
// all results are there. What is no result of its shard is set aside: counted with the scan, and told.
//
// The server remembers, by the collector's name, what was saved, and keeps what wasn't when the stream becomes full. What counts is the
// sequence that the outlet has: each time, the consumer is made anew there. A collector without a name is forgotten soon after it
// ended.
func (c *Client) Collect(ctx context.Context, id, name string, sequence uint64, out Outlet) error {
	return c.collectAll(ctx, id, name, sequence, true, out)
}

// CollectNow is [Client.Collect] that ends when the results are there that the server has by now, whether or not the scan has.
func (c *Client) CollectNow(ctx context.Context, id, name string, sequence uint64, out Outlet) error {
	return c.collectAll(ctx, id, name, sequence, false, out)
}

func (c *Client) collectAll(ctx context.Context, id, name string, sequence uint64, follow bool, out Outlet) error {
	passing := name == ""
	if passing {
		name = NewID()
	}
	if err := checkWord("collector", name); err != nil {
		return err
	}
	aside := &asideSet{tell: c.Tell, told: map[string]bool{}}
	for {
		again, err := c.collect(ctx, id, name, passing, follow, &sequence, aside, out)
		if !again || ctx.Err() != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// collect reads with one consumer for as long as nothing is missing, and reports whether to go on with another.
func (c *Client) collect(ctx context.Context, id, name string, passing, follow bool, sequence *uint64, aside *asideSet, out Outlet) (again bool, err error) {
	s, _, err := get(ctx, c.kv, id)
	if err != nil || s.Phase == Failed {
		return false, errors.Join(err, errors.New("the scan has no results"))
	}
	if s.Phase == Submitted {
		return follow, nil
	}
	aside.scan = s
	consumer, err := c.consumerAt(ctx, id, name, passing, *sequence)
	if err != nil {
		return !errors.Is(err, jetstream.ErrStreamNotFound), err
	}
	unpacker, err := newUnpacker()
	if err != nil {
		return false, err
	}
	defer unpacker.z.Close()
	next := uint64(1) // what the consumer is to number the next message
	for {
		if s, _, err = get(ctx, c.kv, id); err != nil {
			return ctx.Err() == nil, err
		}
		batch, err := consumer.Fetch(collectMost, jetstream.FetchMaxWait(silence))
		if err != nil {
			return true, err
		}
		var last jetstream.Msg
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return false, err
			}
			if meta.Sequence.Consumer != next || meta.NumDelivered != 1 {
				return true, errors.New("a message is missing")
			}
			if err := addAll(unpacker, &nats.Msg{Subject: m.Subject(), Header: m.Headers(), Data: m.Data()}, meta.Sequence.Stream, aside, out); err != nil {
				return false, err
			}
			next, last, *sequence = next+1, m, meta.Sequence.Stream
		}
		if last != nil {
			_ = aside.store(ctx, c.kv) // or later
			if err := out.Save(*sequence); err != nil {
				return false, err
			}
			if err := last.Ack(); err != nil {
				return true, err
			}
			continue
		}
		if err := batch.Error(); err != nil {
			return true, err
		}
		if s.ended() || !follow {
			info, err := consumer.Info(ctx)
			if err != nil {
				return true, err
			}
			if info.NumPending == 0 && info.NumAckPending == 0 {
				return false, aside.store(ctx, c.kv)
			}
		}
	}
}

// addAll hands a message's results to an outlet, and sets aside what is none.
func addAll(unpacker unpacker, m *nats.Msg, sequence uint64, aside *asideSet, out Outlet) error {
	u, err := parseUnit(m.Subject)
	if err = cmp.Or(err, aside.scan.checkUnit(u)); err == nil {
		err = unpacker.unpack(m.Header, m.Data, func(line []byte, compare bool) error {
			err := aside.scan.checkResult(u, line)
			if err == nil {
				err = out.Add(report.CleanJSON(line), compare)
			}
			if isNoResult(err) && aside.add(sequence, u, m, err) {
				return nil
			}
			return err
		})
	} else {
		err = noResult{err}
	}
	if isNoResult(err) {
		aside.add(sequence, u, m, err)
		return nil
	}
	return err
}

// consumerAt returns a consumer of the results behind a sequence.
func (c *Client) consumerAt(ctx context.Context, id, name string, passing bool, sequence uint64) (jetstream.Consumer, error) {
	stream, err := c.js.Stream(ctx, dataStream(id))
	if err != nil {
		return nil, err
	}
	if err := stream.DeleteConsumer(ctx, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, err
	}
	config := jetstream.ConsumerConfig{
		Durable: name, FilterSubject: fmt.Sprintf("hc.%s.%s.>", id, kindResult), AckPolicy: jetstream.AckAllPolicy, AckWait: time.Hour,
		MaxAckPending: 2 * collectMost, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: sequence + 1,
	}
	if passing {
		config.InactiveThreshold = 5 * time.Minute
	}
	return stream.CreateConsumer(ctx, config)
}
