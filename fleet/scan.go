package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A Scan is what is to be scanned, how, and whether it is. What was submitted doesn't change.
type Scan struct {
	ID        string    `json:"id"`
	Version   string    `json:"version"` // of the program that submitted it: others can't work on it
	Submitted time.Time `json:"submitted"`
	Options
	Judging
	// Targets are those that were named. Inputs are more, one a line, and Exclude what is left alone; both by their SHA-256 in the scan's bucket, and empty for
	// none.
	Targets []string `json:"targets"`
	Inputs  string   `json:"inputs"`
	Exclude string   `json:"exclude"`
	// Begun says that shards go on from states of single machines, whose positions are among all inputs.
	Begun bool `json:"begun"`
	// Vantages are labels: each endpoint is asked once by workers of each. Null for any worker.
	Vantages []string `json:"vantages"`
	// Lease is how long a shard stays with a worker that isn't heard of.
	Lease time.Duration `json:"lease"`
	// Shards is how many parts there are; zero leaves it to the coordinator.
	Shards int `json:"shards"`
	// MaxBytes bounds what the server holds of results; zero is [DefaultMaxBytes], or half of what the server has left if that is less.
	MaxBytes int64 `json:"max_bytes"`

	// What the coordinator adds.
	Phase  Phase  `json:"phase"`
	Reason string `json:"reason"` // why it failed
	// Ended is when it had finished, or was cancelled; by the clock of whoever found that, but not before Submitted. Zero while it runs.
	Ended     time.Time `json:"ended,omitzero"`
	Endpoints int64     `json:"endpoints"` // how many the inputs stand for, of one vantage
	Unusable  int64     `json:"unusable"`  // inputs that can't be used as they are written
	// Parts are the inputs, each with the shards that have hosts of it; by SHA-256. Without, each shard reads all of them.
	Parts string `json:"parts"`
	// Excluded are the addresses that Exclude stands for, as the coordinator resolved them; by SHA-256.
	Excluded string `json:"excluded"`
	// ToExclude is what is to be left alone from now on, as it was said while the scan ran; the coordinator makes lines of Grown of it,
	// or of Refused if it can't be understood.
	ToExclude []string `json:"to_exclude"`
	Grown     string   `json:"grown"`
	Refused   []string `json:"refused"`

	// What collectors add.
	Aside Aside `json:"aside"`
}

// DefaultLease and DefaultMaxBytes are a scan's unless it says otherwise.
const (
	DefaultLease    = 30 * time.Second
	DefaultMaxBytes = 4 << 30
)

// A Phase is where a scan is in its life.
type Phase string

// The phases.
const (
	Submitted Phase = "submitted" // the coordinator is going to prepare it
	Running   Phase = "running"
	Finished  Phase = "finished"
	Cancelled Phase = "cancelled"
	Failed    Phase = "failed" // it can't be prepared
)

// ended reports whether no further results come.
func (s *Scan) ended() bool { return s.Phase == Finished || s.Phase == Cancelled }

// end takes the scan into its last phase. Machines' clocks differ: it didn't end before it began.
func (s *Scan) end(p Phase) {
	s.Phase, s.Ended = p, time.Now().UTC()
	if s.Ended.Before(s.Submitted) {
		s.Ended = s.Submitted
	}
}

// labels are those of the scan's shards.
func (s *Scan) labels() []string {
	if len(s.Vantages) == 0 {
		return []string{anywhere}
	}
	return s.Vantages
}

// recordID is what results name as their scan: vantages are told apart by it, as scans with a header each.
func (s *Scan) recordID(label string) string {
	if label == anywhere {
		return s.ID
	}
	return s.ID + "-" + label
}

// Version is this program's. Coordinator and workers need the same: the order of endpoints and the rules depend on it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/handclasp/handclasp" && m.Version != "" && m.Version != "(devel)" {
			return m.Version
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "devel"
}

// A bucket holds the scans.
type bucket struct {
	jetstream.KeyValue
	stream jetstream.Stream
}

// openBucket returns that which a coordinator has made.
func openBucket(ctx context.Context, js jetstream.JetStream) (*bucket, error) {
	kv, err := js.KeyValue(ctx, scansBucket)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, "KV_"+scansBucket)
	return &bucket{kv, stream}, err
}

// ids are those of all scans. The stream's subjects cost the server less than the consumer by which a bucket lists its keys.
func (b *bucket) ids(ctx context.Context) (ids []string, err error) {
	info, err := b.stream.Info(ctx, jetstream.WithSubjectFilter("$KV."+scansBucket+".*"))
	if err != nil {
		return nil, err
	}
	for subject := range info.State.Subjects {
		ids = append(ids, subject[strings.LastIndexByte(subject, '.')+1:])
	}
	slices.Sort(ids)
	return ids, nil
}

// A noScan is an id that no scan has.
type noScan string

func (id noScan) Error() string { return fmt.Sprintf("no scan is called %q", string(id)) }

// get returns a scan and the revision to give to put.
func get(ctx context.Context, kv jetstream.KeyValue, id string) (*Scan, uint64, error) {
	e, err := kv.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, noScan(id)
	}
	if err != nil {
		return nil, 0, err
	}
	s := new(Scan)
	return s, e.Revision(), json.Unmarshal(e.Value(), s)
}

// put stores a scan in place of a revision, 0 for a new one.
func put(ctx context.Context, kv jetstream.KeyValue, s *Scan, revision uint64) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if revision == 0 {
		_, err = kv.Create(ctx, s.ID, data)
	} else {
		_, err = kv.Update(ctx, s.ID, data, revision)
	}
	return err
}

// changed reports whether a scan wasn't stored since it has another revision by now.
func changed(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == errWrongLast
}
