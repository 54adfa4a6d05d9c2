package main

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/demo"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

const demoHelp = `Scan a few servers that are played inside this program, some well kept and some with faults, and report.

Recorded conversations are held again, on free ports of 127.0.0.1 that are gone when the demo ends. Nothing else is
needed: no network, no special rights, no file.`

func (a *app) demoCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Scan servers that are played for it, without a network",
		Long:  demoHelp,
		Example: `  handclasp demo
  handclasp demo --level greeting
  handclasp demo --format html --output demo.html
  handclasp demo --format jsonl --transcript`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.settle(cmd); err != nil {
				return err
			}
			return a.demo(cmd.Context(), &o)
		},
	}
	o.register(cmd, probe.LevelAnonymous)
	cmd.SetUsageTemplate(cmd.UsageTemplate() + exitHelp)
	return cmd
}

func (a *app) demo(ctx context.Context, o *options) error {
	err := a.interruptible(ctx, func(ctx context.Context) error {
		stage, err := demo.Start(o.level)
		if err != nil {
			return err
		}
		defer func() { _ = stage.Close() }()
		o.concurrency = 1 // the same order at every run, and one conversation at a time
		endpoints, labels := a.visit(stage.Servers())
		journal := new(scan.Journal)
		journal.SetTotal(int64(len(endpoints)))
		err = a.without("net.odd-port").run(ctx, o, job{
			endpoints: func(context.Context) iter.Seq2[scan.Endpoint, error] { return each(endpoints) },
			options:   scan.Options{Probe: probe.Options{Dial: stage.Dial, Rand: stage.Rand()}, SlowLane: -1},
			journal:   journal,
			label:     func(e scan.Endpoint) string { return labels[e.Host] },
			list:      true,
		})
		if departed := stage.Err(); departed != nil {
			return fmt.Errorf("the demo isn't what was recorded: %w", departed)
		}
		return err
	})
	if (err == nil || err == exit(exitFindings)) && o.format == formatTable && o.output == "" {
		fmt.Fprintf(a.stdout, "\nThe same as a page for a browser, with all that was said: %s\n", demoPage)
	}
	return err
}

const demoPage = "handclasp demo --format html --output demo.html"

// without returns the app without a rule: every port of the demo is an unusual one.
func (a *app) without(id string) *app {
	b := *a
	b.rules = slices.DeleteFunc(slices.Clone(a.rules), func(r finding.Rule) bool { return r.ID == id })
	return &b
}

// visit makes an endpoint of each server that a prober speaks with, every server being a host of its own in the table.
func (a *app) visit(servers []*demo.Server) (endpoints []scan.Endpoint, labels map[int]string) {
	labels = map[int]string{}
	for i, s := range servers {
		for _, p := range a.probers {
			if p.Spec().Protocol != s.Protocol {
				continue
			}
			endpoints = append(endpoints, scan.Endpoint{
				Target:      s.Target,
				Prober:      s.Prober(p),
				ImplicitTLS: s.ImplicitTLS,
				TLS:         s.TLS,
				Input:       scan.Input{Text: s.Name, Place: "demo"},
				Host:        i + 1,
				Endpoints:   1,
			})
			labels[i+1] = fmt.Sprintf("%s: %s", s.Name, s.About)
		}
	}
	return endpoints, labels
}

func each(endpoints []scan.Endpoint) iter.Seq2[scan.Endpoint, error] {
	return func(yield func(scan.Endpoint, error) bool) {
		for _, e := range endpoints {
			if !yield(e, nil) {
				return
			}
		}
	}
}
