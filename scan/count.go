package scan

import (
	"iter"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// Count reads inputs to their end and returns how many endpoints they stand for, a name counting as one address, and how many
// inputs can't be used as they are written. Of the options those that say what an input stands for count: shards and
// exclusions aren't taken off.
func Count(inputs iter.Seq2[Input, error], probers []probe.Prober, o *EndpointOptions) (endpoints, unusable int64) {
	opts := o.orDefault()
	r := newParser(probers, &opts)
	for in, err := range inputs {
		var p plan
		if err == nil {
			p, err = r.parse(in)
		}
		if err != nil {
			unusable++
			continue
		}
		endpoints += int64(p.count())
	}
	return endpoints, unusable
}

// Deal reads inputs to their end and hands each to give, with the shards that may hold hosts of it, from 1 on in ascending order: of as many
// shards as the options' is one of. All others need it for nothing. Those that can't be used as they are written are left out. It
// returns why inputs couldn't be read to their end, or the error of give, which mustn't keep the slice.
func Deal(inputs iter.Seq2[Input, error], probers []probe.Prober, o *EndpointOptions, give func(in Input, shards []int) error) error {
	opts := o.orDefault()
	r := newParser(probers, &opts)
	var shards []int
	for in, err := range inputs {
		if cutShort(err) {
			return err
		}
		var p plan
		if err == nil {
			p, err = r.parse(in)
		}
		if err != nil {
			continue
		}
		shards = p.holders(opts.Shard, shards[:0])
		if err := give(in, shards); err != nil {
			return err
		}
	}
	return nil
}

// holders appends the shards that may hold hosts of the plan: all, if it has as many addresses, or networks, as there are shards.
func (p plan) holders(s Shard, all []int) []int {
	if s.Count < 2 {
		return append(all, 1)
	}
	if p.name != "" {
		return append(all, int(s.named(p.sharded()))+1)
	}
	d := s.deal()
	for n := uint64(0); n < p.addressCount(); {
		if len(all) == s.Count {
			for i := range all {
				all[i] = i + 1
			}
			return all
		}
		a := p.address(n)
		all = append(all, int(d.holder(a))+1)
		_, low := halves(a)
		switch {
		case !d.nets:
			n++
		case a.Is4(): // to the next network
			n += 1<<d.together() - low&(1<<d.together()-1)
		default: // a range lies within a network
			n = p.addressCount()
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
