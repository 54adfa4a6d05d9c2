package fleet

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/handclasp/handclasp/scan"
)

// A Client submits scans and asks how they are.
type Client struct {
	Tell func(line string) // if not nil, what happens, in a line each time

	nc *nats.Conn
	js jetstream.JetStream
	kv *bucket
}

// ErrNoCoordinator says that a server doesn't hold a fleet yet.
var ErrNoCoordinator = errors.New("no coordinator has been here")

// Open returns a client of the fleet that a server holds; the coordinator must have been there.
func Open(ctx context.Context, nc *nats.Conn) (*Client, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	kv, err := openBucket(ctx, js)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCoordinator, err)
	}
	return &Client{nc: nc, js: js, kv: kv}, nil
}

// NewID makes up what no other scan is called.
func NewID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Submit hands a scan to the coordinator: its id, options and targets. Inputs are more targets, and exclude is what to leave alone,
// one a line; either may be nil. What s leaves out is filled in.
func (c *Client) Submit(ctx context.Context, s *Scan, inputs, exclude io.ReadSeeker) error {
	return c.submit(ctx, s, inputs, exclude, nil)
}

// Store keeps a file for a scan that is going to be submitted, and returns the digest by which [Judging] names it. What s leaves out is
// filled in.
func (c *Client) Store(ctx context.Context, s *Scan, r io.ReadSeeker) (digest string, err error) {
	if err := s.complete(); err != nil {
		return "", err
	}
	return store(ctx, c.js, s.ID, r)
}

func (s *Scan) complete() error {
	s.ID, s.Version = cmp.Or(s.ID, NewID()), cmp.Or(s.Version, Version())
	s.Lease, s.Submitted, s.Phase = cmp.Or(s.Lease, DefaultLease), time.Now().UTC(), Submitted
	return s.check()
}

func (c *Client) submit(ctx context.Context, s *Scan, inputs, exclude io.ReadSeeker, begun map[int]*scan.State) (err error) {
	if err := s.complete(); err != nil {
		return err
	}
	if _, _, err := get(ctx, c.kv, s.ID); err == nil {
		return fmt.Errorf("there is a scan %s already: choose another id", s.ID)
	}
	if inputs != nil {
		if s.Inputs, err = store(ctx, c.js, s.ID, inputs); err != nil {
			return err
		}
	}
	if exclude != nil {
		if s.Exclude, err = store(ctx, c.js, s.ID, exclude); err != nil {
			return err
		}
	}
	s.Begun = len(begun) > 0
	if err := c.carryOver(ctx, s, begun); err != nil {
		return err
	}
	return put(ctx, c.kv, s, 0)
}

// MinLease is the shortest lease that makes sense: it is renewed six times as often. MinMaxBytes has room for a few commits.
const (
	MinLease    = time.Second
	MinMaxBytes = 64 << 20
)

func (s *Scan) check() error {
	if err := checkWord("scan", s.ID); err != nil {
		return err
	}
	for _, label := range s.Vantages {
		if err := checkWord("vantage", label); err != nil {
			return err
		}
		if label == anywhere {
			return fmt.Errorf("a vantage can't be called %q", anywhere)
		}
	}
	if s.Lease < MinLease {
		return fmt.Errorf("a lease of %v: it is %v or longer", s.Lease, MinLease)
	}
	if s.MaxBytes != 0 && s.MaxBytes < MinMaxBytes {
		return fmt.Errorf("%d bytes for results: a few commits need %d", s.MaxBytes, int64(MinMaxBytes))
	}
	if s.Shards < 0 || s.Shards > scan.MaxShards {
		return fmt.Errorf("%d shards: there are %d at most", s.Shards, scan.MaxShards)
	}
	_, err := s.Options.probers()
	return errors.Join(err, s.Contact.Check(), s.checkJudging())
}

// Cancel ends a scan: shards that wait are dropped, and workers stop within a second. Results so far stay.
func (c *Client) Cancel(ctx context.Context, id string) error {
	s, revision, err := get(ctx, c.kv, id)
	if err != nil {
		return err
	}
	if s.Phase != Submitted && s.Phase != Running {
		return fmt.Errorf("the scan %s is %s", id, s.Phase)
	}
	s.end(Cancelled)
	return put(ctx, c.kv, s, revision)
}

// Exclude has a scan that runs leave alone addresses, ranges and names from now on. Within a second every worker knows, or has stopped.
func (c *Client) Exclude(ctx context.Context, id string, hosts []string) error {
	s, revision, err := get(ctx, c.kv, id)
	if err != nil {
		return err
	}
	if s.Phase != Running {
		return fmt.Errorf("the scan %s is %s", id, s.Phase)
	}
	refused := len(s.Refused)
	s.ToExclude = append(s.ToExclude, hosts...)
	if err := put(ctx, c.kv, s, revision); err != nil {
		return err
	}
	for {
		if s, _, err = get(ctx, c.kv, id); err != nil {
			return err
		}
		if s.ToExclude == nil || s.Phase != Running {
			break
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	if more := s.Refused[min(refused, len(s.Refused)):]; len(more) > 0 {
		if len(more) < len(hosts) {
			more = append(more, "what else was named is left alone from now on")
		}
		return errors.New(strings.Join(more, "\n"))
	}
	return nil
}

// Scans returns what there is, the oldest first.
func (c *Client) Scans(ctx context.Context) ([]*Scan, error) {
	ids, err := c.kv.ids(ctx)
	if err != nil {
		return nil, err
	}
	var all []*Scan
	for _, id := range ids {
		s, _, err := get(ctx, c.kv, id)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Scan) int { return a.Submitted.Compare(b.Submitted) })
	return all, nil
}

// A Status is how far a scan is.
type Status struct {
	Scan
	Total   Tally
	Vantage map[string]Tally  // by label; "any" for a scan without vantages
	Waiting int               // shards that aren't finished
	Dead    map[string]string // why shards were given up, by "label/shard"
	Workers map[string]int    // how many shards each worker has
	Unread  []string          // shards, by "label/shard", whose states can't be read
	Age     time.Duration     // since its shards wait, by the server's clock alone
	Stored  uint64            // bytes of results and progress that the server holds
	Room    int64             // that it may hold

	nameless []unit // shards with names that had no address
}

// Shared returns how many shards are in each state: "waiting", "worked_on", "finished" or "given_up".
func (st *Status) Shared() map[string]int {
	worked := 0
	for _, n := range st.Workers {
		worked += n
	}
	return map[string]int{
		"waiting": max(0, st.Waiting-worked-len(st.Dead)), "worked_on": worked, "given_up": len(st.Dead),
		"finished": len(st.labels())*st.Shards - st.Waiting,
	}
}

// Status returns how far a scan is.
func (c *Client) Status(ctx context.Context, id string) (*Status, error) {
	s, _, err := get(ctx, c.kv, id)
	if err != nil {
		return nil, err
	}
	st := &Status{Scan: *s, Vantage: map[string]Tally{}, Dead: map[string]string{}, Workers: map[string]int{}}
	if s.Phase == Submitted || s.Phase == Failed {
		return st, nil
	}
	if err := c.addDead(ctx, st); err != nil {
		return nil, err
	}
	return st, c.addTallies(ctx, st)
}

// addTallies sums up what the states say of themselves.
func (c *Client) addTallies(ctx context.Context, st *Status) error {
	stream, err := c.js.Stream(ctx, dataStream(st.ID))
	if errors.Is(err, jetstream.ErrStreamNotFound) { // it was cancelled before it began
		return nil
	}
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	st.Age = info.TimeStamp.Sub(info.Created)
	st.Stored, st.Room = info.State.Bytes, info.Config.MaxBytes
	states, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"hc." + st.ID + ".state.>"}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, HeadersOnly: true,
	})
	if err != nil {
		return err
	}
	st.Waiting = len(st.labels()) * st.Shards
	return messages(ctx, states, func(m jetstream.Msg) error {
		u, err := parseUnit(m.Subject())
		if err != nil || st.checkUnit(u) != nil { // whoever may commit may write anywhere
			return nil
		}
		var t Tally
		if json.Unmarshal([]byte(m.Headers().Get(headerTally)), &t) != nil {
			st.Unread = append(st.Unread, u.place())
			return nil
		}
		st.Total.add(t)
		of := st.Vantage[u.label]
		of.add(t)
		st.Vantage[u.label] = of
		if t.Unresolved > 0 {
			st.nameless = append(st.nameless, u)
		}
		if t.Finished {
			st.Waiting--
		} else if _, dead := st.Dead[u.place()]; t.Worker != "" && !dead {
			st.Workers[t.Worker]++
		}
		return nil
	})
}

// addDead tells which shards were given up.
func (c *Client) addDead(ctx context.Context, st *Status) error {
	stream, err := c.js.Stream(ctx, workStream(st.ID))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter("hc."+st.ID+".dead.>"))
	if err != nil {
		return err
	}
	for subject := range info.State.Subjects {
		u, err := parseUnit(subject)
		if err != nil || st.checkUnit(u) != nil {
			continue
		}
		m, err := stream.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		st.Dead[u.place()] = string(m.Data)
	}
	return nil
}

// messages calls f for all messages that a consumer has by now.
func messages(ctx context.Context, c jetstream.Consumer, f func(jetstream.Msg) error) error {
	info, err := c.Info(ctx)
	if err != nil {
		return err
	}
	for left := info.NumPending + uint64(info.NumAckPending); left > 0; {
		batch, err := c.Fetch(int(min(left, 1000)), jetstream.FetchMaxWait(answerTime))
		if err != nil {
			return err
		}
		n := uint64(0)
		for m := range batch.Messages() {
			n++
			if err := f(m); err != nil {
				return err
			}
		}
		if err := batch.Error(); err != nil {
			return err
		}
		if n == 0 {
			return errors.New("the server went silent")
		}
		left -= min(n, left)
	}
	return nil
}

// Pick returns the scan that is named, or the one that was submitted last if none is.
func (c *Client) Pick(ctx context.Context, names []string) (*Scan, error) {
	if len(names) > 0 {
		s, _, err := get(ctx, c.kv, names[0])
		return s, err
	}
	all, err := c.Scans(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("there is no scan")
	}
	return all[len(all)-1], nil
}
