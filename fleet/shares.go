package fleet

import "time"

// Shares are how a scan's rate is divided among the workers that are heard of. What all of them may use is never more than the rate:
// a worker whose share becomes smaller counts with the larger one until it says that it uses the smaller, and one that isn't
// heard of counts until it can't use its own any more.
type shares struct {
	rate    float64
	lease   time.Duration
	since   time.Time // before that others may have been given shares; zero for never
	members map[string]*member
}

type member struct {
	most  float64 // that it wants; zero or less is no bound
	holds float64 // that it may use
	heard time.Time
}

// beat notes that a worker is there, uses a share and wants at most so much, and returns its new one: 0 if nothing is free yet.
func (s *shares) beat(worker string, uses, most float64, now time.Time) float64 {
	for name, m := range s.members {
		if now.Sub(m.heard) > s.lease {
			delete(s.members, name)
		}
	}
	m := s.members[worker]
	if m == nil {
		m = new(member)
		s.members[worker] = m
	}
	m.most, m.heard, m.holds = most, now, uses
	free := s.rate
	for _, other := range s.members {
		if other != m {
			free -= other.holds
		}
	}
	give := max(0, min(s.fair(m), free))
	if now.Sub(s.since) <= s.lease { // who else holds shares isn't known yet
		give = min(give, uses)
	}
	m.holds = max(give, uses)
	return give
}

// fair is a worker's part if all have the same, those that want less excepted.
func (s *shares) fair(of *member) float64 {
	left, n := s.rate, len(s.members)
	part := left / float64(n)
	for again := true; again && n > 0; { // those that want less leave more for others
		again = false
		left, n = s.rate, 0
		for _, m := range s.members {
			if m.most > 0 && m.most <= part {
				left -= m.most
			} else {
				n++
			}
		}
		if next := left / float64(max(n, 1)); n > 0 && next > part*(1+1e-9) {
			part, again = next, true
		}
	}
	if of.most > 0 {
		return min(part, of.most)
	}
	return part
}
