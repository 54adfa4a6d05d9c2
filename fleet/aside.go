package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"unicode/utf8"

	"github.com/nats-io/nats.go"

	"github.com/handclasp/handclasp/internal/rawjson"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

// Aside is what collectors found among a scan's results that is none, and left out: messages that can't be unpacked or hold nothing, and
// lines that are no result of the message's shard. Whoever may commit may have sent it.
type Aside struct {
	Count    int64  `json:"count"`
	Sequence uint64 `json:"sequence"` // of the last such message: each collector meets them in the stream's order, and the first counts
	// Of says what was found first, by "label/shard"; of so many shards only.
	Of map[string]string `json:"of,omitempty"`
}

// A worker that lies may be any: what is kept of it is bounded.
const (
	asideShards = 32
	asideText   = 300
	asideLines  = 100 // of a message; then the others in it aren't read
)

// A noResult says why a line or a message is none.
type noResult struct{ error }

func (e noResult) Unwrap() error { return e.error }

func notAResult(format string, args ...any) error { return noResult{fmt.Errorf(format, args...)} }

// checkUnit says what is wrong with a message's subject.
func (s *Scan) checkUnit(u unit) error {
	if u.scan != s.ID || u.shard < 1 || u.shard > s.Shards || !slices.Contains(s.labels(), u.label) {
		return notAResult("the scan has no such shard")
	}
	return nil
}

// checkResult says why a line is no result of a shard. Whether it is true, and the evidence what the protocol's is, isn't looked at.
func (s *Scan) checkResult(u unit, line []byte) error {
	const schema, of, target = 1, 2, 4
	seen := 0
	for m, err := range rawjson.CheckedMembers(line) { // all of one name have to be right: readers differ in which they take
		switch {
		case err != nil:
			return notAResult("a line isn't JSON")
		case m.Is("schema"):
			if is, ok := rawjson.Text(m.Value); !ok || is != "handclasp.result/1" {
				return notAResult("a line is no result")
			}
			seen |= schema
		case m.Is("scan"):
			if is, ok := rawjson.Text(m.Value); !ok || is != s.recordID(u.label) {
				return notAResult("a result is of another scan")
			}
			seen |= of
		case m.Is("target"):
			if err := s.checkTarget(u, m.Value); err != nil {
				return err
			}
			seen |= target
		}
	}
	if seen != schema|of|target {
		return notAResult("a line is no result")
	}
	return nil
}

func (s *Scan) checkTarget(u unit, value []byte) error {
	var addr netip.AddrPort
	var name string
	for m, err := range rawjson.Members(value) {
		text, ok := rawjson.Text(m.Value)
		switch {
		case err != nil:
		case m.Is("addr"):
			addr, err = netip.ParseAddrPort(text)
		case m.Is("name"):
			name = text
		}
		if err != nil || !ok {
			return notAResult("a result has no target")
		}
	}
	shard := scan.Shard{Index: u.shard, Count: s.Shards, Networks: s.NetSpacing > 0}
	switch a := addr.Addr(); {
	case !addr.IsValid():
		return notAResult("a result has no target")
	case !shard.Holds(a, "") && (name == "" || !shard.Holds(a, name)):
		return notAResult("a result is of an endpoint that isn't in the shard")
	}
	return nil
}

// An asideSet is what one collector set aside, and hasn't told the server yet.
type asideSet struct {
	scan *Scan
	tell func(string)
	told map[string]bool // by worker and shard
	new  []asideOne
}

type asideOne struct { // a message
	sequence    uint64
	count       int64
	place, text string
}

// add notes what is no result, and tells of a worker's shard once. It reports whether there may be more in the message.
func (a *asideSet) add(sequence uint64, u unit, m *nats.Msg, why error) bool {
	if n := len(a.new); n > 0 && a.new[n-1].sequence == sequence {
		a.new[n-1].count = min(a.new[n-1].count+1, asideLines)
		return a.new[n-1].count < asideLines
	}
	place, name := u.place(), u.String()
	if a.scan.checkUnit(u) != nil {
		place, name = "none", m.Subject
	}
	worker := cmp.Or(m.Header.Get(headerWorker), "a worker without a name")
	text := report.Clean(fmt.Sprintf("%s: %v", worker, why))
	for len(text) > asideText || !utf8.ValidString(text) {
		text = text[:min(len(text)-1, asideText)]
	}
	a.new = append(a.new, asideOne{sequence, 1, place, text})
	if key := place + " " + worker; a.tell != nil && !a.told[key] && len(a.told) < asideShards {
		a.told[key] = true
		a.tell(report.Clean(fmt.Sprintf("%s: set aside what is no result: %s", name, text)))
	}
	return true
}

// store counts with the scan what no other collector has counted. If it fails, it is to be tried again.
func (a *asideSet) store(ctx context.Context, kv *bucket) error {
	for len(a.new) > 0 {
		s, revision, err := get(ctx, kv, a.scan.ID)
		if err != nil {
			return err
		}
		last := s.Aside.Sequence
		for _, one := range a.new {
			if one.sequence <= last {
				continue
			}
			s.Aside.Count += one.count
			s.Aside.Sequence = one.sequence
			if s.Aside.Of == nil {
				s.Aside.Of = map[string]string{}
			}
			if _, there := s.Aside.Of[one.place]; !there && len(s.Aside.Of) < asideShards {
				s.Aside.Of[one.place] = one.text
			}
		}
		if s.Aside.Sequence == last {
			break
		}
		if err = put(ctx, kv, s, revision); err == nil {
			break
		}
		if !changed(err) {
			return err
		}
	}
	a.new = nil
	return nil
}

// isNoResult reports whether an error is a message's or a line's alone.
func isNoResult(err error) bool {
	var none noResult
	return errors.As(err, &none)
}
