package scan

import (
	"fmt"
	"hash"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/handclasp/handclasp/probe"
)

// A Journal keeps the books of one scan: how far it has come ([Journal.Progress]), and from where another can go on
// should this one end early ([Journal.State]). Give the same one to EndpointOptions and Options, and call Done for each
// result once it is safe. The zero value begins at the start. Its methods may be called from several goroutines, and on
// a nil pointer.
type Journal struct {
	mu      sync.Mutex
	state   State               // all but Pending
	pending map[uint64]*pending // nil for a slot of one endpoint
	total   int64               // slots; unknown if known is false
	known   bool
	resumed bool // the state was another journal's
	meter   meter
}

// pending is a slot of which not all endpoints are done: a name's, or one that was pending when the state was taken.
type pending struct {
	left  int
	extra int // endpoints beyond one
	done  []netip.Addr
}

// NewJournal returns a journal that goes on where a state was taken; nil is the start.
func NewJournal(s *State) *Journal {
	j := new(Journal)
	if s != nil {
		j.state, j.resumed = *s, true
		j.state.Pending = nil
		j.pending = make(map[uint64]*pending, len(s.Pending))
		for _, p := range s.Pending {
			j.pending[p.Position] = &pending{left: 1, done: slices.Clone(p.Done)}
		}
	}
	return j
}

// A State is from where a scan can go on. It is small, however long the scan: all endpoints before Next are done, but
// for those that are pending. Its JSON form may be stored; it is understood by the version of handclasp that wrote it,
// and by others that have the same Format.
type State struct {
	Format int    `json:"format"` // StateFormat
	Order  *Order `json:"order"`  // nil before the start

	Inputs  uint64    `json:"inputs"`  // how many inputs were read
	Digest  string    `json:"digest"`  // of these inputs
	Next    uint64    `json:"next"`    // the position of the first endpoint that wasn't begun
	Pending []Pending `json:"pending"` // what was begun and isn't done, by position
	// Finished says that all inputs were read and nothing is pending.
	Finished bool `json:"finished"`

	Begun    int64 `json:"begun"`    // positions that weren't passed over
	Excluded int64 `json:"excluded"` // positions that are left alone
	Extra    int64 `json:"extra"`    // endpoints beyond one a position: further addresses of names
	Done     int64 `json:"done"`     // endpoints
	Open     int64 `json:"open"`     // of them, those where somebody answered the call
	Findings int64 `json:"findings"` // as Done was told
	Unusable int64 `json:"unusable"` // inputs that couldn't be used
}

// StateFormat is the form of states that this version writes and understands.
const StateFormat = 3 // 1 had another order, and 2 other shards

// Pending is one position of a scan that isn't done.
type Pending struct {
	Position uint64       `json:"position"`
	Done     []netip.Addr `json:"done"` // addresses of a name that are done
}

// An Order is all, beside the inputs, that the order of a scan depends on.
type Order struct {
	Seed     uint64   `json:"seed"`
	InOrder  bool     `json:"in_order"`
	Spread   bool     `json:"spread"`
	Shard    string   `json:"shard"`
	Networks bool     `json:"networks,omitempty"` // shards keep networks whole
	Services []string `json:"services"`           // of the probers, such as "ftp 21/tcp"
	Exclude  string   `json:"exclude"`            // a digest; "none" for no exclusion
	Ports    []uint16 `json:"ports,omitempty"`
	Detect   bool     `json:"detect"` // ports that no prober claims are asked
	Public   bool     `json:"public_only"`
	shards   int
}

func orderOf(probers []probe.Prober, o *EndpointOptions) *Order {
	order := &Order{Seed: o.Seed, InOrder: o.InOrder, Spread: o.Spread, Ports: o.Ports, Shard: o.Shard.String(), Networks: o.Shard.Networks && o.Shard.Count > 1, Services: []string{}, Exclude: o.Exclude.digest(), Detect: !o.NoDetection, Public: o.PublicOnly, shards: o.Shard.Count}
	for _, s := range everywhere(probers) {
		order.Services = append(order.Services, fmt.Sprintf("%s %d/%s", s.prober.Spec().Protocol, s.port, s.network))
	}
	return order
}

// Check returns why a scan with these probers and options can't go on from the state, or nil. The inputs are checked
// when they are read again.
func (s *State) Check(probers []probe.Prober, o *EndpointOptions) error {
	opts := o.orDefault()
	if s.Format == 0 {
		return fmt.Errorf("%w: its state doesn't say which format it has", ErrResume)
	}
	if s.Format != StateFormat {
		return fmt.Errorf("%w: its state has format %d, and this version knows %d", ErrResume, s.Format, StateFormat)
	}
	was, is := s.Order, orderOf(probers, &opts)
	if was == nil {
		return nil
	}
	for _, field := range []struct {
		name    string
		was, is any
	}{
		{"seed", was.Seed, is.Seed},
		{"shard", was.Shard, is.Shard},
		{"shards of whole networks", was.Networks, is.Networks},
		{"in-order", was.InOrder, is.InOrder},
		{"spread", was.Spread, is.Spread},
		{"detect", was.Detect, is.Detect},
		{"public-only", was.Public, is.Public},
	} {
		if field.was != field.is {
			return fmt.Errorf("%w: it began with %s %v, and this is %v", ErrResume, field.name, field.was, field.is)
		}
	}
	if was.Exclude != is.Exclude {
		return fmt.Errorf("%w: it began with other exclusions", ErrResume)
	}
	if !slices.Equal(was.Services, is.Services) || !slices.Equal(was.Ports, is.Ports) {
		return fmt.Errorf("%w: it began with other protocols or ports", ErrResume)
	}
	return nil
}

// State returns from where the scan can go on.
func (j *Journal) State() State {
	if j == nil {
		return State{}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.state
	if !j.resumed {
		s.Format = StateFormat
	}
	s.Pending = make([]Pending, 0, len(j.pending))
	for _, position := range slices.Sorted(maps.Keys(j.pending)) {
		left := Pending{Position: position, Done: []netip.Addr{}}
		if p := j.pending[position]; p != nil {
			s.Extra -= int64(p.extra) // it is counted again when the name is looked up again
			left.Done = append(left.Done, p.done...)
		}
		s.Pending = append(s.Pending, left)
	}
	s.Finished = s.Finished && len(s.Pending) == 0
	return s
}

// Done says that a result is safe, with how many findings were made of it: a resumed scan doesn't probe its endpoint
// again. Of a result that Run or Map gave, the probe's may be left out.
func (j *Journal) Done(r Result, findings int) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Done++
	j.state.Findings += int64(findings)
	if r.open || r.Result != nil && isOpen(r.Result) {
		j.state.Open++
	}
	j.meter.count(j.state.Done)
	p := j.pending[r.Endpoint.position]
	if p != nil {
		p.left--
	}
	if p == nil || p.left <= 0 {
		delete(j.pending, r.Endpoint.position)
	} else {
		p.done = append(p.done, r.Endpoint.Target.Addr.Addr())
	}
}

// begin notes the order of the scan.
func (j *Journal) begin(order *Order) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending == nil {
		j.pending = map[uint64]*pending{}
	}
	j.state.Order = order
}

// gathered notes that n inputs of a digest are read, and that their endpoints are begun.
func (j *Journal) gathered(n uint64, digest hash.Hash) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Inputs, j.state.Digest = n, fmt.Sprintf("%x", digest.Sum(nil))
}

// pass notes a position without an endpoint to be probed, and how many of the scan's are left alone there.
func (j *Journal) pass(position uint64, excluded int64) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Next = position + 1
	j.state.Excluded += excluded
}

// issue notes that a position's endpoints are begun.
func (j *Journal) issue(position uint64) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Next = position + 1
	j.state.Begun++
	j.pending[position] = nil
}

// resolved notes how many endpoints a position stands for.
func (j *Journal) resolved(position uint64, endpoints int) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	p, ok := j.pending[position]
	if !ok {
		return
	}
	if p == nil {
		p = new(pending)
		j.pending[position] = p
	}
	p.extra = endpoints + len(p.done) - 1
	j.state.Extra += int64(p.extra)
	if p.left = endpoints; endpoints == 0 {
		delete(j.pending, position)
	}
}

// unusable notes an input that can't be used.
func (j *Journal) unusable() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Unusable++
}

// finish notes that there are no more inputs.
func (j *Journal) finish() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Finished = true
}
