package finding

import (
	"slices"
	"time"
)

// settled reports whether nothing is to be told of the endpoint should the next scan learn just the same: all that is held was
// seen and is believed, nothing waits to be confirmed, and every fact was learned as it stands.
func (t *telling) settled() bool {
	st, now := t.st, t.w.at
	if st.Scope != "" || !st.Up || !st.Answered.Equal(now) || t.blind || t.again != nil {
		return false
	}
	for _, h := range st.Open {
		if h.Confirmed.IsZero() || !h.Last.Equal(now) {
			return false
		}
		for _, i := range h.Items {
			if !i.Told || i.Misses > 0 {
				return false
			}
		}
	}
	for _, h := range st.Facts {
		if slices.ContainsFunc(h.Values, func(v string) bool { return !h.Seen[v].Equal(now) }) {
			return false
		}
	}
	return true
}

// SeenAgain brings what was settled up to a later time at which all of it was seen again.
func (st *Standing) SeenAgain(at time.Time) {
	if st.Learned.Equal(st.Answered) {
		st.Learned = at
	}
	st.Answered = at
	for _, h := range st.Open {
		h.Last = at
	}
	for _, h := range st.Facts {
		h.note(h.Values, at)
	}
}
