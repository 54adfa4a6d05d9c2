package probe

import (
	"fmt"
	"time"
)

// Limits bound one session. A field that is zero or negative takes its default; one above its ceiling takes the
// ceiling: there is no way to say unlimited.
//
// Reaching Dial or Idle means that the server kept silent and gives [OutcomeTimeout]; reaching any other limit cuts
// off a server that was still talking and gives [OutcomeLimit]. Both errors are a [*LimitError], and what was read before
// is kept.
type Limits struct {
	// Total is the time from the start of Run to its end. Default 60 s, ceiling 30 min.
	Total time.Duration
	// Dial is the time to establish one connection. Default 5 s (the first two retransmissions of a SYN), ceiling 2 min.
	Dial time.Duration
	// Idle is the time to wait for the next byte, and to get rid of bytes of ours, to within 2 %. Default 15 s, since mail servers
	// delay their greeting on purpose; ceiling 10 min (RFC 5321 §4.5.3.2 lets a greeting take 5).
	Idle time.Duration
	// BytesIn is the number of bytes received on all connections together, counted below TLS; each
	// datagram counts for 28 more. Default 256 KiB, ceiling 64 MiB.
	BytesIn int64
	// BytesOut is the number of bytes sent on all connections together, counted below TLS. Default 32 KiB, ceiling 1 MiB.
	BytesOut int64
	// LineLength is the length of one line in bytes, without its ending. Default 16 KiB, ceiling 1 MiB.
	LineLength int
	// ReplyLines is the number of lines in one reply. Default 512, ceiling 65,536.
	ReplyLines int
	// Conns is the number of connections opened in a session, one after the other or side by side. Default 16,
	// ceiling 256.
	Conns int
}

var (
	defaultLimits = Limits{
		Total: time.Minute, Dial: 5 * time.Second, Idle: 15 * time.Second,
		BytesIn: 256 << 10, BytesOut: 32 << 10, LineLength: 16 << 10, ReplyLines: 512, Conns: 16,
	}
	ceilings = Limits{
		Total: 30 * time.Minute, Dial: 2 * time.Minute, Idle: 10 * time.Minute,
		BytesIn: 64 << 20, BytesOut: 1 << 20, LineLength: 1 << 20, ReplyLines: 1 << 16, Conns: 256,
	}
)

// Effective returns the limits with defaults and ceilings applied, as a session enforces them.
func (l Limits) Effective() Limits {
	return Limits{
		Total:      bounded(l.Total, defaultLimits.Total, ceilings.Total),
		Dial:       bounded(l.Dial, defaultLimits.Dial, ceilings.Dial),
		Idle:       bounded(l.Idle, defaultLimits.Idle, ceilings.Idle),
		BytesIn:    bounded(l.BytesIn, defaultLimits.BytesIn, ceilings.BytesIn),
		BytesOut:   bounded(l.BytesOut, defaultLimits.BytesOut, ceilings.BytesOut),
		LineLength: bounded(l.LineLength, defaultLimits.LineLength, ceilings.LineLength),
		ReplyLines: bounded(l.ReplyLines, defaultLimits.ReplyLines, ceilings.ReplyLines),
		Conns:      bounded(l.Conns, defaultLimits.Conns, ceilings.Conns),
	}
}

func bounded[T ~int | ~int64](v, def, ceiling T) T {
	if v <= 0 {
		return def
	}
	return min(v, ceiling)
}

// A LimitError names the limit that was reached: the cause of an [Error], whatever its outcome.
type LimitError struct {
	Limit string // the field of Limits, such as "LineLength"
	Value any    // its effective value
}

func (e *LimitError) Error() string {
	phrase, ok := limitPhrases[e.Limit]
	if !ok {
		phrase = e.Limit + " %v"
	}
	return fmt.Sprintf(phrase+" (limit)", e.Value)
}

var limitPhrases = map[string]string{
	"Total":      "not done within %v",
	"Dial":       "no connection within %v",
	"Idle":       "silence for %v",
	"BytesIn":    "more than %v bytes received",
	"BytesOut":   "more than %v bytes to send",
	"LineLength": "a line of more than %v bytes",
	"ReplyLines": "a reply of more than %v lines",
	"Conns":      "more than %v connections",
}
