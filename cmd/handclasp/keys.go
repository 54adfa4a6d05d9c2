package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/keys"
)

const keysHelp = `Compare the RSA keys in stored results, and say which have a prime in common with another one.

Devices that make their keys before there is any randomness take the same primes. From two keys that
share one, anybody can compute both private keys. All certificates and SSH host keys in the files are
compared, up to 20,000 different ones. Each line names a key, and the other one that gives it away.`

const keysExitHelp = `
Exit status:
  0  no prime is shared
  1  there are keys that share a prime
  2  trouble with a file, or more keys than can be compared
`

func (a *app) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "keys RESULTS...",
		Short:   "Find keys in stored results that share a prime",
		Long:    keysHelp,
		Example: "  handclasp scan --format jsonl --output results.jsonl 192.0.2.0/24\n  handclasp keys results.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{errors.New("no results: name a file of JSON lines, or - for standard input"), cmd.CommandPath()}
			}
			return a.keys(args)
		},
	}
	cmd.SetUsageTemplate(cmd.UsageTemplate() + keysExitHelp)
	return cmd
}

func (a *app) keys(paths []string) error {
	var c keys.Collection
	for _, path := range paths {
		results, err := a.openStored(path)
		if err != nil {
			return err
		}
		for record := range results.records() {
			c.Add(record.Result)
		}
		results.close()
		if results.failed != nil {
			return results.failed
		}
	}
	pairs, all := c.Shared()
	for _, p := range pairs {
		if _, err := fmt.Fprintf(a.stdout, "%s\t%s\tshared-prime\t%s\t%s\n", p.Holder.Target.Addr, p.Holder.Pointer, p.Peer.Target.Addr, p.Peer.Pointer); err != nil {
			return err
		}
	}
	switch {
	case !all:
		return errors.New("there are more keys than can be compared: give fewer results at once")
	case len(pairs) > 0:
		return exit(exitFindings)
	}
	return nil
}
