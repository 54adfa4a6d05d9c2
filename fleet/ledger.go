package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A ledger is the board that a server is.
type ledger struct {
	packer
	nc        *nats.Conn
	js        jetstream.JetStream
	streams   sync.Map // by name: asking for them costs a round trip each time
	consumers sync.Map
}

func newLedger(nc *nats.Conn, js jetstream.JetStream) *ledger {
	return &ledger{packer: newPacker(), nc: nc, js: js}
}

func (l *ledger) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	if s, ok := l.streams.Load(name); ok {
		return s.(jetstream.Stream), nil
	}
	s, err := l.js.Stream(ctx, name)
	if err == nil {
		l.streams.Store(name, s)
	}
	return s, err
}

func (l *ledger) consumer(ctx context.Context, stream, name string) (jetstream.Consumer, error) {
	if c, ok := l.consumers.Load(stream + " " + name); ok {
		return c.(jetstream.Consumer), nil
	}
	c, err := l.js.Consumer(ctx, stream, name)
	if err == nil {
		l.consumers.Store(stream+" "+name, c)
	}
	return c, err
}

// pause is the time between two tries of what the server couldn't do.
const pause = 200 * time.Millisecond

// commit implements board. If no answer came it reads which progress is there now: no two are alike.
func (l *ledger) commit(ctx context.Context, u unit, results lot, p progress, last uint64) (uint64, error) {
	state, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	tally, err := json.Marshal(p.tally())
	if err != nil {
		return 0, err
	}
	messages := l.pack(results, l.largest())
	for _, m := range messages {
		m.Header.Set(headerWorker, p.Worker)
	}
	for {
		seq, err := publish(ctx, l.nc, u, messages, state, string(tally), last)
		if err == nil {
			return seq, nil
		}
		is, now, readErr := l.last(ctx, u)
		switch {
		case readErr == nil && now != last && bytes.Equal(is, state):
			return now, nil
		case readErr == nil && now != last:
			return 0, errLost
		case readErr == nil && fenced(err):
			return 0, fmt.Errorf("%s: the server's sequence is %d: %w", u, now, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return 0, err
		}
	}
}

// largest implements board: headers take some of a message.
func (l *ledger) largest() int { return int(min(l.nc.MaxPayload(), maxPayload)) - 1024 }

// read implements board.
func (l *ledger) read(ctx context.Context, u unit) (p progress, last uint64, err error) {
	data, last, err := l.last(ctx, u)
	if err != nil || last == 0 {
		return p, 0, err
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, 0, fmt.Errorf("%w: %w", errUnread, err)
	}
	return p, last, nil
}

// last returns the state of a shard as it is stored, and its sequence; 0 if there is none.
func (l *ledger) last(ctx context.Context, u unit) ([]byte, uint64, error) {
	stream, err := l.stream(ctx, dataStream(u.scan))
	if err != nil {
		return nil, 0, err
	}
	m, err := stream.GetLastMsgForSubject(ctx, u.subject(kindState))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return m.Data, m.Sequence, nil
}

// offer implements board.
func (l *ledger) offer(ctx context.Context, scan, label string) (ticket, error) {
	c, err := l.consumer(ctx, workStream(scan), label)
	if err != nil {
		return nil, err
	}
	batch, err := c.FetchNoWait(1)
	if err != nil {
		return nil, err
	}
	m, ok := <-batch.Messages()
	if !ok {
		return nil, batch.Error()
	}
	u, err := parseUnit(m.Subject())
	if err != nil {
		return nil, errors.Join(err, m.Term())
	}
	return &message{m, l.js, u}, nil
}

// A message is a ticket.
type message struct {
	m  jetstream.Msg
	js jetstream.JetStream
	u  unit
}

func (m *message) unit() unit                     { return m.u }
func (m *message) renew() error                   { return m.m.InProgress() }
func (m *message) done(ctx context.Context) error { return m.m.DoubleAck(ctx) }
func (m *message) giveBack(context.Context) error { return m.m.Nak() }

// bury puts the reason where the shard waited.
func (m *message) bury(ctx context.Context, reason string) error {
	_, err := m.js.Publish(ctx, m.u.subject(kindDead), []byte(reason))
	if err != nil && !occupied(err) {
		return err
	}
	return m.m.DoubleAck(ctx)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
