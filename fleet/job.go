package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/netip"
	"os"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A job is a scan with all that shards of it need at hand.
type job struct {
	scan    *Scan
	probers []probe.Prober
	judgement
	exclude *scan.Exclusion
	inputs  *os.File     // nil for none, and if there are parts
	parts   *partsReader // nil if shards read all inputs
	// resolver resolves the names among the inputs; nil is the system's.
	resolver scan.Resolver
	pact     *pact
	ask      asking
	end      context.CancelFunc // of what keeps the pact; may be nil
}

// An asking is how a shard's endpoints are asked: by (*shardRun).probe.
type asking func(r *shardRun, ctx context.Context, endpoints iter.Seq2[scan.Endpoint, error]) error

// prepare fetches what a scan names.
func prepare(ctx context.Context, js jetstream.JetStream, s *Scan) (j *job, err error) {
	j = &job{scan: s, pact: newPact(s.Lease), ask: (*shardRun).probe}
	if j.probers, err = s.Options.probers(); err != nil {
		return nil, err
	}
	if j.judgement, err = s.judgement(ctx, js); err != nil {
		return nil, err
	}
	if s.Excluded != "" {
		f, err := load(ctx, js, s.ID, s.Excluded)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if j.exclude, err = scan.Exclude(ctx, scan.Lines(ctx, "the exclusions", whole(f)), nobody{}); err != nil {
			return nil, err
		}
	}
	if s.Parts != "" {
		j.parts, err = s.loadParts(ctx, js)
		return j, err
	}
	if s.Inputs != "" {
		if j.inputs, err = load(ctx, js, s.ID, s.Inputs); err != nil {
			return nil, err
		}
	}
	return j, nil
}

func (j *job) close() {
	if j.end != nil {
		j.end()
	}
	if j.inputs != nil {
		_ = j.inputs.Close()
	}
	if j.parts != nil {
		_ = j.parts.f.Close()
	}
}

// of returns the inputs that a shard reads.
func (j *job) of(ctx context.Context, shard int) iter.Seq2[scan.Input, error] {
	if j.parts != nil {
		return j.parts.part(shard)
	}
	return j.lines(ctx)
}

// lines are the scan's inputs, as 'handclasp scan' reads them from its arguments and a file.
func (j *job) lines(ctx context.Context) iter.Seq2[scan.Input, error] {
	inputs := scan.Args(j.scan.Targets)
	if j.inputs != nil {
		inputs = scan.Concat(inputs, scan.Lines(ctx, "the list", whole(j.inputs)))
	}
	return scan.Once(inputs, func() {})
}

// unusable returns why the first input can't be used, if none can.
func (j *job) unusable(ctx context.Context) error {
	for _, err := range scan.Endpoints(ctx, j.lines(ctx), j.probers, j.scan.order(scan.Shard{}, nil, nil)) {
		return err
	}
	return errors.New("the list is empty")
}

// A part reads a file from its beginning, beside others that do.
type part struct {
	*io.SectionReader
	f *os.File
}

func whole(f *os.File) fs.File { return part{io.NewSectionReader(f, 0, 1<<62), f} }

func (p part) Stat() (fs.FileInfo, error) { return p.f.Stat() }
func (p part) Close() error               { return nil }

// nobody resolves no names: the coordinator did.
type nobody struct{}

func (nobody) LookupNetIP(_ context.Context, _, host string) (_ []netip.Addr, err error) {
	return nil, fmt.Errorf("%s: %w", host, errors.ErrUnsupported)
}
