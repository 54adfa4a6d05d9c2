package main

import (
	"errors"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/report"
)

// also are the outputs beside the first.
type also []*beside

type beside struct {
	sink
	out   *output
	brief bool // without what was said
}

// openAlso opens them, or none.
func (a *app) openAlso(f *form, transcript bool, o report.TableOptions) (all also, err error) {
	for _, d := range f.more {
		out, err := openOutput(d.path, nil)
		if err != nil {
			all.discard()
			return nil, err
		}
		all = append(all, &beside{sink: a.newSink(out, d.format, false, o), out: out, brief: d.format == formatJSONL && !transcript})
	}
	return all, nil
}

func (a also) write(r finding.Record, h report.Host, pass bool) error {
	for _, b := range a {
		write := b.sink.write
		if pass {
			write = skip(b.sink)
		}
		record := r
		if b.brief {
			record = r.WithoutTranscript()
		}
		if err := write(record, h); err != nil {
			return b.out.failure(err)
		}
	}
	return nil
}

func (a also) commit() error {
	var all []error
	for _, b := range a {
		err := b.sink.close()
		if err == nil {
			err = b.out.commit()
		} else {
			err = b.out.failure(err)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (a also) discard() {
	for _, b := range a {
		b.out.discard()
	}
}
