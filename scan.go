package handclasp

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// Options say what [Scan] does. A nil *Options and the zero value are the defaults: all that is built in.
type Options struct {
	// Probers are those that targets may ask for; nil means [Probers].
	Probers []probe.Prober
	// Rules judge each result, and Comparisons each in the light of the others; nil means [Rules] and [Comparisons].
	Rules       []finding.Rule
	Comparisons []finding.Comparison
	// Profile rates the rules and the comparisons; the zero value leaves them as they are.
	Profile finding.Profile
	// Policies are judged by beside the rules; nil for none.
	Policies []finding.Policy
	// Fingerprints name the software; nil means [fingerprint.Builtin].
	Fingerprints *fingerprint.DB
	// Advise returns further findings of a result whose software is named, such as what package advisory knows; nil for
	// none.
	Advise func(r *probe.Result) []finding.Finding
	// Accept marks findings that are taken as a risk; nil for none.
	Accept *finding.Acceptor

	// Inputs are targets beside those that are given as text, such as the lines of a file ([scan.Lines]); nil for none.
	Inputs iter.Seq2[scan.Input, error]
	// Order says which endpoints targets stand for, and in which order they come.
	Order scan.EndpointOptions
	// Scan says how endpoints are probed: level, limits, rates. Its Journal, if not nil, keeps the books.
	Scan scan.Options
}

// Scan probes targets and yields a record for each endpoint as soon as it is done, in no particular order: the result, the
// software that its evidence names, and the findings. Targets are hosts, addresses, ranges and URLs, as [scan.Endpoints]
// understands them. What can't be scanned is an error, beside a zero Record, and the others go on.
//
// When ctx ends no further endpoint is begun; what was begun ends within 50 ms and is still yielded.
func Scan(ctx context.Context, targets []string, o *Options) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var opts Options
		if o != nil {
			opts = *o
		}
		judge := NewJudge(&opts)
		journal := cmp.Or(opts.Scan.Journal, opts.Order.Journal)
		opts.Scan.Journal, opts.Order.Journal = journal, journal
		endpoints := scan.Endpoints(ctx, inputs(targets, opts.Inputs), judge.probers, &opts.Order)
		type judged struct {
			result scan.Result
			record finding.Record
		}
		judging := func(r scan.Result) judged {
			record := judge.Record(r.Result)
			record.Tag = r.Endpoint.Input.Tag
			return judged{r, record}
		}
		for j, err := range scan.Map(ctx, endpoints, &opts.Scan, judging) {
			if !yield(j.record, err) {
				return
			}
			if err == nil && journal != nil {
				journal.Done(j.result, len(finding.Open(j.record.Findings)))
			}
		}
	}
}

func inputs(targets []string, more iter.Seq2[scan.Input, error]) iter.Seq2[scan.Input, error] {
	return func(yield func(scan.Input, error) bool) {
		for input, err := range scan.Args(targets) {
			if !yield(input, err) {
				return
			}
		}
		if more != nil {
			more(yield)
		}
	}
}

// A Judge makes records of results: it names the software that evidence shows, and what is wrong with it. It holds the memory
// that comparisons need, so that one judges the results of one scan. Any number of goroutines may use it.
type Judge struct {
	probers      []probe.Prober
	fingerprints *fingerprint.DB
	rules        *finding.Judge

	mu     sync.Mutex // of what is used by one goroutine at a time
	advise func(r *probe.Result) []finding.Finding
	accept *finding.Acceptor
}

// NewJudge returns a judge by the probers, rules, comparisons, profile, fingerprints, advice and accepted risks of o.
func NewJudge(o *Options) *Judge {
	j := &Judge{probers: o.Probers, fingerprints: o.Fingerprints, advise: o.Advise, accept: o.Accept}
	if j.probers == nil {
		j.probers = Probers()
	}
	if j.fingerprints == nil {
		j.fingerprints = fingerprint.Builtin()
	}
	rules, comparisons := o.Rules, o.Comparisons
	if rules == nil {
		rules = Rules()
	}
	if comparisons == nil {
		comparisons = Comparisons()
	}
	rules = slices.Clone(rules)
	for _, p := range o.Policies {
		rules = append(rules, p.Rule())
	}
	j.rules = finding.NewJudge(o.Profile.Rate(rules), o.Profile.RateComparisons(comparisons))
	return j
}

// Record names the result's software and judges it. Findings come as [finding.Evaluate] orders them.
func (j *Judge) Record(r *probe.Result) finding.Record {
	r.Software = j.fingerprints.Software(r)
	record := finding.Record{Result: r, Findings: j.rules.Evaluate(r)}
	if j.advise == nil && j.accept == nil {
		return record
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.advise != nil {
		record.Findings = append(record.Findings, j.advise(r)...)
		slices.SortStableFunc(record.Findings, finding.Compare)
	}
	if j.accept != nil {
		record.Findings = j.accept.Mark(record)
	}
	return record
}
