package finding

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// Complete says whether the scan asked every target: yes if each shard has a footer that says so, no if one hasn't, and
// unknown if results name no scan, as those of before there were headers do.
func (s *Snapshot) Complete() probe.Fact {
	if s.unnamed || len(s.headers) == 0 {
		return probe.Unknown
	}
	for scan, headers := range s.headers {
		for _, shard := range shards(headers) {
			if !slices.ContainsFunc(s.footers[scan], func(f *Footer) bool { return f.Shard == shard && f.Complete }) {
				return probe.No
			}
		}
	}
	return probe.Yes
}

// shards lists the shards that a scan with these headers has.
func shards(headers []*Header) (list []string) {
	for _, h := range headers {
		k, n := 0, 0
		if _, err := fmt.Sscanf(h.Shard, "%d/%d", &k, &n); err != nil || n < 1 || n > 1<<16 {
			return []string{h.Shard}
		}
		if list == nil {
			for i := range n {
				list = append(list, fmt.Sprintf("%d/%d", i+1, n))
			}
		}
	}
	return list
}

// unresolved reports whether a name had no address.
func (s *Snapshot) unresolved(host string) bool {
	for _, footers := range s.footers {
		for _, f := range footers {
			if slices.Contains(f.Unresolved, host) {
				return true
			}
		}
	}
	return false
}

// vantages are those from which it was made.
func (s *Snapshot) vantages() map[string]bool {
	from := map[string]bool{}
	for _, headers := range s.headers {
		from[headers[0].Vantage] = true
	}
	if s.unnamed || len(s.headers) == 0 {
		from[""] = true
	}
	return from
}

// header is what is known of how the scan was made; the zero value if nothing is.
func (s *Snapshot) header() (h Header) {
	for _, scan := range slices.Sorted(maps.Keys(s.headers)) {
		return *s.headers[scan][0]
	}
	return h
}

// Scan returns how the scan was made, and when its first and its last probe began. It is an error if the results aren't of one
// scan that has a header.
func (s *Snapshot) Scan() (head Header, from, to time.Time, err error) {
	switch {
	case len(s.headers) == 0:
		err = errors.New("there is no header")
	case s.unnamed:
		err = errors.New("some results name none")
	case len(s.headers) > 1:
		err = errors.New("there are several scans")
	}
	head = s.header()
	from, to = s.from, s.to
	if from.IsZero() {
		from, to = head.Started, head.Started
	}
	return head, from, to, err
}
