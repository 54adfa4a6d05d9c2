package finding

import "slices"

// A Baseline holds the findings of a scan, for the records of a later one to be marked by as they come.
type Baseline struct {
	memory memory
	is     *Snapshot // the later scan
}

// NewBaseline reads a scan, and judges it by rules and comparisons.
func NewBaseline(scan func(yield func(Entry) bool), rules []Rule, comparisons []Comparison) *Baseline {
	s := NewSnapshot(rules, comparisons)
	for e := range scan {
		s.Add(e)
	}
	s.finish()
	return &Baseline{memory{snap: s}, s.next()}
}

// Add takes what the later scan says of itself: its header, before its records, and its footers.
func (b *Baseline) Add(e Entry) { b.is.Add(Entry{Header: e.Header, Footer: e.Footer}) }

// Mark returns the record's findings, each with what became of it: [New]; [Changed], if it is about more than before or
// became more severe though both scans were judged in one way; [Unchanged]; or [Unknown], if the scan before didn't learn it.
func (b *Baseline) Mark(r Record) []Finding {
	b.is.Add(Entry{Record: r})
	marked := slices.Clone(r.Findings)
	vantage := b.memory.snap.header().Vantage
	if len(b.is.headers) > 0 {
		vantage = b.is.header().Vantage
	}
	at := EndpointOf(r.Target, vantage)
	st := b.memory.Load(at)
	for i := range marked {
		marked[i].Baseline = b.status(at, st, marked[i])
	}
	return marked
}

// Delta compares all that was marked with the scan before, as [Diff] does.
func (b *Baseline) Delta(acceptLoss []string) Delta {
	return between(b.memory.snap, b.is, acceptLoss, false)
}

// ratedOtherwise reports whether another severity follows from how the two scans were judged.
func (b *Baseline) ratedOtherwise(at Endpoint, held *Held, rule string) bool {
	before, now := b.memory.snap.header(), b.is.header()
	if !unnamed(before, now) {
		return judgedOtherwise(before, now)
	}
	is := memory{snap: b.is}.Load(at).Open[rule]
	return is != nil && held.own != 0 && held.own == is.own
}

func (b *Baseline) status(at Endpoint, st *Standing, f Finding) Status {
	if st == nil {
		return New
	}
	held := st.Open[f.ID]
	n, known := b.memory.snap.number[f.ID]
	switch {
	case held != nil:
		grown := slices.ContainsFunc(f.Items, func(item Item) bool { return held.Items[item.Value] == nil })
		if grown || f.Severity > held.Severity && !b.ratedOtherwise(at, held, f.ID) {
			return Changed
		}
		return Unchanged
	case known && n < b.memory.snap.foreign:
		if letter, _ := st.prior(n); letter == answerUnknown {
			return Unknown
		}
	case !unnamed(b.is.header(), b.memory.snap.header()):
		now, _ := dataOf(b.is.header(), f.ID)
		if before, _ := dataOf(b.memory.snap.header(), f.ID); before != now {
			return Unknown
		}
	}
	return New
}

// News returns those of the findings that [Baseline.Mark] marks as new or as changed for the worse; never nil.
func News(marked []Finding) []Finding {
	news := []Finding{}
	for _, f := range marked {
		if f.Baseline == New || f.Baseline == Changed {
			news = append(news, f)
		}
	}
	return news
}
