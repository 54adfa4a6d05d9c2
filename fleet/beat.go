package fleet

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/handclasp/handclasp/scan"
)

// A beat is what a worker says of itself to the coordinator, several times a second for each scan that it works on. An order is the
// answer.
type beat struct {
	Worker string  `json:"worker"`
	Uses   float64 `json:"uses"`  // connections a second that it may make now
	Most   float64 `json:"most"`  // that it wants; zero is no bound
	Grown  int     `json:"grown"` // bytes of exclusions that it knows beside those that the scan began with
}

type order struct {
	Ended bool    `json:"ended"` // the scan doesn't run any more
	Bound bool    `json:"bound"` // Rate holds; else there is no bound
	Rate  float64 `json:"rate"`  // 0 for nothing yet
	Grown int     `json:"grown"`
	More  string  `json:"more"` // exclusions behind those that the worker knows, one a line
}

func beatSubject(scan string) string { return "hc." + scan + ".beat" }

// every is how often a worker beats. An exclusion takes as long as this and a look of the coordinator to be everywhere.
const every = 300 * time.Millisecond

// hear answers a worker.
func (c *Coordinator) hear(m *nats.Msg) {
	var b beat
	parts := strings.Split(m.Subject, ".")
	if len(parts) != 3 || json.Unmarshal(m.Data, &b) != nil || b.Worker == "" {
		return
	}
	c.mu.Lock()
	o, known := c.answer(parts[1], b)
	c.mu.Unlock()
	if !known {
		return // it isn't known yet what to say
	}
	data, err := json.Marshal(o)
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil {
		c.tell("%s: %v", parts[1], err)
	}
}

func (c *Coordinator) answer(id string, b beat) (order, bool) {
	l := c.live[id]
	if l == nil || l.scan.Phase == Submitted {
		return order{}, false
	}
	o := order{Ended: l.scan.Phase != Running, Bound: l.shares.rate > 0, Grown: len(l.scan.Grown)}
	if b.Grown >= 0 && b.Grown < len(l.scan.Grown) {
		o.More = l.scan.Grown[b.Grown:]
	}
	if rate := l.shares.beat(b.Worker, b.Uses, b.Most, time.Now()); o.Bound {
		o.Rate = rate
	}
	return o, true
}

// A liveScan is what the coordinator knows of a scan beside what is stored.
type liveScan struct {
	scan   Scan
	shares shares
	offers offers
}

// note remembers how a scan is now. Of scans that ran before, it isn't known at first which shares workers have.
func (c *Coordinator) note(s *Scan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.live[s.ID]
	if l == nil {
		l = &liveScan{shares: shares{rate: s.Rate, lease: s.Lease, members: map[string]*member{}}}
		if s.Phase == Running {
			l.shares.since = time.Now()
		}
		c.live[s.ID] = l
	}
	l.scan = *s
}

// grow resolves exclusions that came while the scan runs.
func (c *Coordinator) grow(ctx context.Context, s *Scan) {
	var more strings.Builder
	for _, line := range s.ToExclude {
		x, err := scan.Exclude(ctx, scan.Lines(ctx, "exclude", strings.NewReader(line)), c.Resolver)
		if err != nil {
			s.Refused = append(s.Refused, err.Error())
			continue
		}
		more.WriteString(x.String())
	}
	s.Grown += more.String()
	s.ToExclude = nil
}
