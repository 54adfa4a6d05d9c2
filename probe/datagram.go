package probe

import (
	"errors"
	"time"
)

// The waits for a reply to a datagram before it is sent again: three sends, which RFC 1002 §6 names for its
// clients (UCAST_REQ_RETRY_COUNT), at growing distances.
var exchangeWaits = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}

// Exchange sends a datagram and returns the first one that accept takes for its reply; strays counts those that it
// didn't take. A query that isn't answered is sent again, at most three times in all. It is for UDP targets. The
// reply is valid until the next read. What comes from elsewhere is neither: see [Conn.Elsewhere].
func (c *Conn) Exchange(query []byte, accept func(reply []byte) bool) (reply []byte, strays int, err error) {
	if !c.datagrams() {
		return nil, 0, Errorf("exchange", OutcomeInternal, "not a UDP connection")
	}
	defer c.raw.setIdle(c.raw.idle)
	var waited time.Duration
	for _, wait := range exchangeWaits {
		if err = c.Send(query); err != nil {
			return nil, strays, err
		}
		wait = min(wait, c.s.opts.Limits.Idle)
		waited += wait
		until := time.Now().Add(wait)
		for {
			// A read that strays keep busy may not outlast its wait.
			c.raw.setIdle(max(time.Until(until), 0))
			c.r, c.w = 0, 0
			if err = c.fill(); err != nil {
				break
			}
			if accept(c.buf[:c.w]) {
				c.listenElsewhere()
				c.r = c.w
				return c.buf[:c.w], strays, nil
			}
			strays++
		}
		c.listenElsewhere()
		if !errors.Is(err, OutcomeTimeout) || c.s.life.Err() != nil {
			return nil, strays, err
		}
		c.err = nil // silence ends a wait, not the connection
	}
	return nil, strays, &Error{Op: "read", Outcome: OutcomeTimeout, Err: &LimitError{Limit: "Idle", Value: waited}}
}
