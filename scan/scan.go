// Package scan probes many endpoints at once.
//
// Targets come in as a sequence and results leave as one, so that memory doesn't grow with their number:
//
//	inputs := scan.Args([]string{"ftp.example.net", "192.0.2.0/24:25", "nntps://news.example.net"})
//	journal := new(scan.Journal)
//	endpoints := scan.Endpoints(ctx, inputs, handclasp.Probers(), &scan.EndpointOptions{Journal: journal})
//	for r, err := range scan.Run(ctx, endpoints, &scan.Options{Rate: 100, Journal: journal}) {
//		…
//		journal.Done(r, 0)
//	}
//
// [Endpoints] puts them in an order, [Run] decides when each is probed, and a [Journal], if one is wanted, knows how
// far the scan has come and from where another can go on.
package scan

import (
	"context"
	"iter"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// DefaultConcurrency is how many endpoints are probed at once if Options don't say. MaxConcurrency keeps a scan
// below the number of sockets that systems commonly give one process the right to, and of ports that one address has.
const (
	DefaultConcurrency = 64
	MaxConcurrency     = 16384
)

// DefaultDials is how many connections may be being opened at once, at least, if Options don't say.
const DefaultDials = 1024

// DefaultPerHost is how many connections to one host are open at once if Options don't say.
const DefaultPerHost = 4

// Options say how to scan. A nil *Options and the zero value are the defaults.
type Options struct {
	// Probe is how each endpoint is probed; its ImplicitTLS gives way to the endpoint's, and its Chains, if they are
	// nil, to some of the scan's own.
	Probe probe.Options
	// Concurrency is how many endpoints are probed at once, those in the slow lane apart; zero or less is
	// DefaultConcurrency, and more than MaxConcurrency is MaxConcurrency.
	Concurrency int
	// SlowLane is how many endpoints more may be under way that take much longer than others do, so that their places are
	// free for others: servers that drip. Zero is eight times Concurrency, less than zero none; with Concurrency it is at
	// most MaxConcurrency. A slow endpoint counts for PerHost as others do, and ends by the same limits.
	SlowLane int
	// Dials is how many connections may be being opened, beside the endpoints that are talked with: calls that nobody
	// answers don't hold up the others. Zero or less is DefaultDials, or eight times Concurrency if that is more. If calls are
	// answered, fewer are made at once, so that those that are talked with stay about Concurrency.
	Dials int
	// PerHost is how many connections to one address are open at once; zero or less is DefaultPerHost. What a protocol needs beside
	// a connection that it keeps goes beyond: FTP's data connection, and one question of several that are asked side by side.
	PerHost int
	// Rate bounds the new connections a second, all hosts together; zero or less is no bound. A probe that makes
	// several doesn't wait for the further ones as long as its time allows; the next probe waits for them.
	Rate float64
	// Limiter, if not nil, bounds them in place of Rate: for scans that share a bound, or one that changes.
	Limiter *Limiter
	// HostSpacing is the time between the beginnings of two connections to one address, counted likewise; zero or less
	// is none.
	HostSpacing time.Duration
	// NetSpacing is the time between the beginnings of two connections into one network, a /24 of IPv4 or a /64 of IPv6; zero or
	// less is none. It is counted as HostSpacing is, and for scans that share the work it holds if [Shard] keeps networks whole.
	NetSpacing time.Duration
	// Retries is how often an endpoint is probed again, after a second, then two, and so on up to half a minute, if
	// that may end in another way: the server was busy, no way to the host, hung up without a word, no descriptors left. A call that nobody
	// answers is among them only if its limit (Limits.Dial) is below three seconds: in that time the system has
	// called three times.
	Retries int
	// Journal counts what is in flight; nil for none.
	Journal *Journal
}

// effective returns the options with defaults applied.
func (o *Options) effective() Options {
	var e Options
	if o != nil {
		e = *o
	}
	if e.Concurrency <= 0 {
		e.Concurrency = DefaultConcurrency
	}
	e.Concurrency = min(e.Concurrency, MaxConcurrency)
	if e.Probe.Chains == nil {
		e.Probe.Chains = new(probe.Chains)
	}
	if e.SlowLane == 0 {
		e.SlowLane = 8 * e.Concurrency
	}
	e.SlowLane = min(max(e.SlowLane, 0), MaxConcurrency-e.Concurrency)
	if e.Dials <= 0 {
		e.Dials = max(DefaultDials, 8*e.Concurrency)
	}
	e.Dials = min(e.Dials, MaxConcurrency)
	if e.PerHost <= 0 {
		e.PerHost = DefaultPerHost
	}
	return e
}

// A Result is what a probe of one endpoint gave.
type Result struct {
	*probe.Result
	Endpoint Endpoint
	Attempts int // how often it was tried; the result is the last one that learned something
	open     bool
}

// Run probes endpoints and yields each result as soon as it is there, in no particular order, and each error of
// endpoints as it is, with a zero Result.
//
// When ctx ends no further endpoint is begun. What was begun ends within 50 ms and is still yielded, with what was
// learned. Breaking off ends the same way, and waits for endpoints to yield once more at most.
func Run(ctx context.Context, endpoints iter.Seq2[Endpoint, error], o *Options) iter.Seq2[Result, error] {
	return Map(ctx, endpoints, o, func(r Result) Result { return r })
}

// Map is [Run] that yields what f makes of each result. f is called by several goroutines at once, so that it has all cores, and
// what waits to be taken is no more than what f returns.
func Map[T any](ctx context.Context, endpoints iter.Seq2[Endpoint, error], o *Options, f func(Result) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		s := newScheduler(o.effective(), func(r Result) any { return f(r) })
		go s.run(ctx, endpoints)
		defer func() {
			cancel()
			for range s.out { // until the last probe is over
			}
		}()
		for item := range s.out {
			made, _ := item.made.(T)
			if !yield(made, item.err) {
				return
			}
		}
	}
}

// An item is what was made of a result, or an error.
type item struct {
	made any
	err  error
}
