package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Headers of an atomic batch (ADR-50 of NATS), of a message that replaces those before it on its subject (ADR-36), and the one that
// fences: the sequence of the subject's last message must be this.
const (
	headerBatch    = "Nats-Batch-Id"
	headerSequence = "Nats-Batch-Sequence"
	headerCommit   = "Nats-Batch-Commit"
	headerRollup   = "Nats-Rollup"
	headerExpected = "Nats-Expected-Last-Subject-Sequence"
	// headerTally is a [Tally] in JSON, so that a scan's progress is read without the states.
	headerTally = "Handclasp-Tally"
)

// Errors of the server that pass: the stream is full, or too many batches are under way.
const (
	errStoreFailed     = 10077 // with a text: maximum bytes exceeded, among others
	errWrongLast       = 10071
	errWrongLastNone   = 10164
	errTooManyInFlight = 10210
	errIncomplete      = 10176
)

// An answer is what the server says of a batch.
type answer struct {
	Stream   string              `json:"stream"`
	Sequence uint64              `json:"seq"`
	Error    *jetstream.APIError `json:"error"`
}

const answerTime = 5 * time.Second

// publish sends results and then a state as one batch, and returns the state's sequence. The state replaces the one before, which
// must have the sequence last.
func publish(ctx context.Context, nc *nats.Conn, u unit, results []*nats.Msg, state []byte, tally string, last uint64) (uint64, error) {
	id := nuid.Next()
	number := func(m *nats.Msg, n int) {
		m.Header.Set(headerBatch, id)
		m.Header.Set(headerSequence, strconv.Itoa(n))
	}
	for i, m := range results {
		m.Subject = u.subject(kindResult)
		number(m, i+1)
		if err := nc.PublishMsg(m); err != nil {
			return 0, err
		}
	}
	m := nats.NewMsg(u.subject(kindState))
	m.Data = state
	if len(results) > 0 { // a batch of one costs the server more than a message
		number(m, len(results)+1)
		m.Header.Set(headerCommit, "1")
	}
	m.Header.Set(headerRollup, "sub")
	m.Header.Set(headerExpected, strconv.FormatUint(last, 10))
	m.Header.Set(headerTally, tally)
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	reply, err := nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return 0, err
	}
	var a answer
	if err := json.Unmarshal(reply.Data, &a); err != nil {
		return 0, fmt.Errorf("the server's answer to a batch: %w", err)
	}
	if a.Error != nil {
		return 0, a.Error
	}
	return a.Sequence, nil
}

// fenced reports whether the server refused a batch since the state isn't the one that it was to replace.
func fenced(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == errWrongLast || api.ErrorCode == errWrongLastNone)
}
