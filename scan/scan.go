// Package scan probes many endpoints at once.
//
// Targets come in as a sequence and results leave as one, so that memory doesn't grow with their number:
//
//	inputs := scan.Args([]string{"ftp.example.net", "192.0.2.0/24:25", "nntps://news.example.net"})
//	endpoints := scan.Endpoints(ctx, inputs, handclasp.Probers(), nil)
//	for r, err := range scan.Run(ctx, endpoints, nil) {
//		…
//	}
package scan

import (
	"context"
	"iter"
	"sync"

	"github.com/handclasp/handclasp/probe"
)

// DefaultConcurrency is how many endpoints are probed at once where Options don't say. MaxConcurrency keeps a scan
// below the number of sockets that systems commonly give one process the right to, and of ports that one address has.
const (
	DefaultConcurrency = 64
	MaxConcurrency     = 16384
)

// Options say how to scan. A nil *Options and the zero value are the defaults.
type Options struct {
	// Probe is how each endpoint is probed; its ImplicitTLS gives way to the endpoint's.
	Probe probe.Options
	// Concurrency is how many endpoints are probed at once; zero or less is DefaultConcurrency, and more than
	// MaxConcurrency is MaxConcurrency.
	Concurrency int
}

func (o *Options) concurrency() int {
	if o == nil || o.Concurrency <= 0 {
		return DefaultConcurrency
	}
	return min(o.Concurrency, MaxConcurrency)
}

// A Result is what a probe of one endpoint gave.
type Result struct {
	*probe.Result
	Endpoint Endpoint
}

// Run probes endpoints and yields each result as soon as it is there, in no particular order, and each error of
// endpoints as it is, with a zero Result.
//
// When ctx ends no further endpoint is begun. What was begun ends within 50 ms and is still yielded, with what was
// learned. Breaking off ends the same way, and waits for endpoints to yield once more at most.
func Run(ctx context.Context, endpoints iter.Seq2[Endpoint, error], o *Options) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		out := start(ctx, endpoints, o)
		defer func() {
			cancel()
			for range out { // until the last probe is over
			}
		}()
		for item := range out {
			if !yield(item.result, item.err) {
				return
			}
		}
	}
}

type item struct {
	result Result
	err    error
}

// start probes the endpoints. An endpoint's slot is free again when its result was taken, which is what bounds memory
// where results are taken slowly.
func start(ctx context.Context, endpoints iter.Seq2[Endpoint, error], o *Options) <-chan item {
	out := make(chan item)
	slots := make(chan struct{}, o.concurrency())
	go func() {
		defer close(out)
		var running sync.WaitGroup
		defer running.Wait()
		for e, err := range endpoints {
			if err != nil {
				out <- item{err: err}
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				return
			}
			running.Go(func() {
				out <- item{result: e.run(ctx, o)}
				<-slots
			})
		}
	}()
	return out
}

func (e Endpoint) run(ctx context.Context, o *Options) Result {
	var opts probe.Options
	if o != nil {
		opts = o.Probe
	}
	if e.ImplicitTLS != probe.Unknown {
		opts.ImplicitTLS = e.ImplicitTLS
	}
	return Result{Result: probe.Run(ctx, e.Prober, e.Target, &opts), Endpoint: e}
}
