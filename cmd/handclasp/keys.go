package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/keys"
)

const keysHelp = `Compare the RSA keys in stored results, and say which have a prime in common with another one.

Devices that make their keys before there is any randomness take the same primes. From two keys that
share one, anybody can compute both private keys. All certificates and SSH host keys in the files are
compared, up to 20,000 different ones. Each line names a key, how its private key is found out, and the
other key that gives it away.

With --list the keys are looked up in a list of weak keys, too, such as Debian's of the keys that its OpenSSL
could make from 2006 to May 2008: the files blacklist.* of the packages openssl-blacklist and
openssh-blacklist. It is read line by line, of any size. The line names the list.`

const keysExitHelp = `
Exit status:
  0  no prime is shared, and no key is listed
  1  there are keys that share a prime, or are listed
  2  trouble with a file, or more keys than can be compared
`

func (a *app) keysCommand() *cobra.Command {
	var lists []string
	cmd := &cobra.Command{
		Use:     "keys RESULTS...",
		Short:   "Find keys in stored results that share a prime",
		Long:    keysHelp,
		Example: "  handclasp scan --format jsonl --output results.jsonl 192.0.2.0/24\n  handclasp keys results.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{errors.New("no results: name a file of JSON lines, or - for standard input"), cmd.CommandPath()}
			}
			return a.keys(args, lists)
		},
	}
	cmd.Flags().StringArrayVar(&lists, "list", nil, "look the keys up in `FILE`, a list of weak keys; may be given several times")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + keysExitHelp)
	return cmd
}

func (a *app) keys(paths, lists []string) error {
	var c keys.Collection
	if err := a.eachStored(paths, false, c.Add); err != nil {
		return err
	}
	listed := 0
	for _, path := range lists {
		found, err := readListed(&c, path)
		if err != nil {
			return fmt.Errorf("--list: %s: %w: name a file such as blacklist.RSA-2048 of openssl-blacklist", path, userfile.Cause(err))
		}
		listed += len(found)
		for _, h := range found {
			if _, err := fmt.Fprintf(a.stdout, "%s\t%s\tdebian-2008\t%s\t\n", h.Target.Addr, h.Pointer, path); err != nil {
				return err
			}
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
	case len(pairs)+listed > 0:
		return exit(exitFindings)
	}
	return nil
}

func readListed(c *keys.Collection, path string) ([]keys.Holder, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, end, err := decompress(file)
	if err != nil {
		return nil, err
	}
	if end != nil {
		defer end()
	}
	return c.Listed(r)
}
