package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/rsync"
	"github.com/handclasp/handclasp/scan"
	"github.com/handclasp/handclasp/smtp"
	"github.com/handclasp/handclasp/ssh"
)

// Options say how endpoints are asked, as the flags of 'handclasp scan' of the same names do. The zero value is the default.
type Options struct {
	Level       probe.Level   `json:"level"`
	Only        []string      `json:"only"`  // protocols; null for all
	Ports       []uint16      `json:"ports"` // null for every default port
	TLS         probe.TLSMode `json:"tls"`
	SSH         string        `json:"ssh"` // "gex" for small groups, too
	Injection   bool          `json:"injection"`
	VerifyNames bool          `json:"verify_names"`
	Modules     []string      `json:"modules"`
	Contact     probe.Contact `json:"contact"`
	Timeout     time.Duration `json:"timeout"`
	Transcript  bool          `json:"transcript"` // results hold all that was said
	Open        bool          `json:"open"`       // results are those of endpoints where somebody answered

	Concurrency int           `json:"concurrency"` // of one shard
	PerHost     int           `json:"per_host"`
	HostSpacing time.Duration `json:"host_spacing"`
	NetSpacing  time.Duration `json:"net_spacing"` // for a network's workers to be one at a time, shards hold whole networks
	Retries     int           `json:"retries"`
	// Rate bounds the new connections a second of all workers together; zero is no bound.
	Rate float64 `json:"rate"`

	Seed         uint64        `json:"seed"`
	InOrder      bool          `json:"in_order"`
	Spread       bool          `json:"spread"`
	PublicOnly   bool          `json:"public_only"`
	NoDetection  bool          `json:"no_detection"`
	GreetingWait time.Duration `json:"greeting_wait"`
}

// probers returns those that are chosen, with their knobs set.
func (o *Options) probers() ([]probe.Prober, error) {
	all := handclasp.Probers()
	for _, name := range o.Only {
		if !slices.ContainsFunc(all, func(p probe.Prober) bool { return p.Spec().Protocol == name }) {
			return nil, fmt.Errorf("no protocol is called %q", name)
		}
	}
	var chosen []probe.Prober
	for _, p := range all {
		if o.Only != nil && !slices.Contains(o.Only, p.Spec().Protocol) {
			continue
		}
		switch q := p.(type) {
		case ssh.Prober:
			q.GroupExchange = o.SSH == "gex"
			p = q
		case smtp.Prober:
			q.Injection, q.Verify = o.Injection, o.VerifyNames
			p = q
		case nntp.Prober:
			q.Injection = o.Injection
			p = q
		case rsync.Prober:
			q.Modules = o.Modules
			p = q
		}
		chosen = append(chosen, p)
	}
	return chosen, nil
}

// order returns which endpoints a shard holds.
func (o *Options) order(shard scan.Shard, exclude *scan.Exclusion, journal *scan.Journal) *scan.EndpointOptions {
	shard.Networks = o.NetSpacing > 0
	return &scan.EndpointOptions{
		Seed: o.Seed, InOrder: o.InOrder, Spread: o.Spread, Shard: shard, Exclude: exclude, PublicOnly: o.PublicOnly, Journal: journal,
		Ports: o.Ports, NoDetection: o.NoDetection, GreetingWait: o.GreetingWait,
	}
}

// spacing is how long whom another worker has just called is left alone.
func (o *Options) spacing() time.Duration { return max(o.HostSpacing, o.NetSpacing) }

// scan returns how endpoints are asked.
func (o *Options) scan(dial probe.DialFunc, limiter *scan.Limiter, journal *scan.Journal) *scan.Options {
	return &scan.Options{
		Probe: probe.Options{
			Level: o.Level, Contact: o.Contact, TLS: o.TLS, Limits: probe.Limits{Total: o.Timeout}, Dial: dial,
		},
		Concurrency: o.Concurrency, PerHost: o.PerHost, HostSpacing: o.HostSpacing, NetSpacing: o.NetSpacing, Retries: o.Retries, Journal: journal,
		Limiter: limiter,
	}
}
