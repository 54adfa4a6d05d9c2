package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fleet"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

func submitCommand(c *connection) *cobra.Command {
	s := &fleet.Scan{Options: fleet.Options{Retries: 1}}
	var o submission
	cmd := &cobra.Command{
		Use:   "submit [flags] TARGET...",
		Short: "Have the workers scan targets; the flags are those of 'handclasp scan'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refused(cmd.Flags()); err != nil {
				return err
			}
			if len(args) == 0 && o.list == "" {
				return errors.New("no targets: name one, or a list with --input")
			}
			s.Targets = args
			return c.with(cmd.Context(), func(client *fleet.Client) error {
				if err := o.submit(cmd, client, s); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), s.ID)
				return begun(cmd.Context(), client, s.ID)
			})
		},
	}
	o.register(cmd, s)
	return cmd
}

// begun waits a while for the coordinator, which may refuse a scan. It says so later in the scan's status, too.
func begun(ctx context.Context, client *fleet.Client, id string) error {
	for since := time.Now(); time.Since(since) < patience && ctx.Err() == nil; time.Sleep(patience / 50) {
		s, err := client.Pick(ctx, []string{id})
		if err != nil {
			return err
		}
		if s.Phase == fleet.Failed {
			return fmt.Errorf("%s: %s", id, s.Reason)
		}
		if s.Phase != fleet.Submitted {
			return nil
		}
	}
	tell(fmt.Sprintf("%s: no coordinator has taken it up yet: does 'handclasp-fleet serve' run?", id))
	return nil
}

// A submission is what is read when a scan is submitted.
type submission struct {
	list        string
	exclude     []string
	excludeFile string
	detect      bool
	resume      []string
	files       files
}

func (o *submission) register(cmd *cobra.Command, s *fleet.Scan) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&s.ID, "id", "", "call the scan `ID`")
	f.StringVar(&o.list, "input", "", "read more targets from `FILE`, one a line, or what another scanner wrote; - for standard input")
	f.StringVarP(&o.list, "list", "l", "", "the same as --input: `FILE`")
	f.StringSliceVar(&o.exclude, "exclude", nil, "leave alone `HOSTS`: addresses, ranges and names, with commas between them")
	f.StringVar(&o.excludeFile, "exclude-file", "", "leave alone what `FILE` holds, one a line")
	f.BoolVar(&s.PublicOnly, "public-only", false, "leave alone addresses that are loopback, private or link-local")
	parsed(f, &s.Level, probe.ParseLevel, "level", "handshake", "how far to go, `LEVEL`: greeting, handshake or anonymous")
	parsed(f, &s.Only, pick.Words, "only", "", "ask these `PROTOCOLS` alone: ftp, smtp, nntp, rsync, netbios, smb, ssh")
	parsed(f, &s.Ports, pick.PortList, "ports", "", "where to ask hosts that name no port: `PORTS` such as 21,990,2121-2130")
	parsed(f, &s.TLS, probe.ParseTLSMode, "tls", "negotiated", "`HOW` far to ask for TLS: negotiated, versions, weak or full")
	parsed(f, &s.SSH, pick.OneOf("handshake", "gex"), "ssh", "handshake", "`HOW` far to ask for SSH's key exchange: handshake or gex")
	f.BoolVar(&s.Injection, "injection", false, "check whether commands behind STARTTLS are carried out inside TLS (mail, news)")
	f.BoolVar(&s.VerifyNames, "verify-names", false, "check with VRFY of a random name whether mail servers tell which names exist")
	parsed(f, &s.Modules, pick.Words, "modules", "", "rsync `NAMES` of modules to ask for at level anonymous, beside those that are listed")
	f.StringVar(&s.Contact.Host, "hello", "", "the argument of EHLO: a host `NAME` of yours")
	f.StringVar(&s.Contact.Mail, "contact", "", "where to complain: `MAIL`")
	parsed(f, &s.Timeout, pick.Timeout, "timeout", "1m0s", "`TIME`: how long one endpoint may take in all")
	f.BoolVar(&s.Transcript, "transcript", false, "include all that was said in the results")
	f.BoolVar(&o.detect, "detect", true, "find out what is spoken on a port; --detect=false asks only what lives there by default")
	parsed(f, &s.GreetingWait, pick.Spacing, "greeting-wait", "7s", "`TIME`: how long to listen for a greeting before a silent port is asked what it is")
	parsed(f, &s.MinSeverity, finding.ParseSeverity, "min-severity", "", "tell findings as severe as `SEVERITY`, or more")
	f.BoolVar(&s.Open, "open", false, "keep only results of endpoints where somebody answered")
	parsed(f, &s.Rule, pick.Words, "rule", "", "judge by these `RULES` alone: ids, or what stands before the dot")
	parsed(f, &s.Without, pick.Words, "exclude-rule", "", "leave these `RULES` out")
	o.files.register(f, s)
	parsed(f, &s.Concurrency, pick.Concurrency, "concurrency", strconv.Itoa(scan.DefaultConcurrency), "probe `N` endpoints of a shard at once; much slower ones leave their places, up to eight times N")
	parsed(f, &s.Rate, pick.Rate, "rate", "", "at most `N` new connections a second, all workers together")
	parsed(f, &s.PerHost, pick.Concurrency, "per-host", strconv.Itoa(scan.DefaultPerHost), "have `N` connections to one address at once; FTP's data connections aside")
	parsed(f, &s.HostSpacing, pick.Spacing, "host-spacing", "", "`TIME` between two connections to one address")
	parsed(f, &s.NetSpacing, pick.Spacing, "net-spacing", "", "`TIME` between two connections into one network, a /24 or a /64; shards hold whole networks")
	parsed(f, &s.Retries, pick.Retries, "retries", "1", "probe again, up to `N` times, where there was no way to the host or it hung up without a word")
	f.Uint64Var(&s.Seed, "seed", 0, "another order of the endpoints for each `N`")
	f.BoolVar(&s.InOrder, "in-order", false, "keep the order of the targets and ports within a shard")
	f.BoolVar(&s.Spread, "spread", false, "shuffle all endpoints of a shard among each other")
	parsed(f, &s.Vantages, pick.Words, "vantage", "", "have each endpoint asked by workers of each of these `LABELS`")
	f.IntVar(&s.Shards, "shards", 0, "cut the scan into `N` parts; 0 goes by the number of endpoints")
	f.StringSliceVar(&o.resume, "resume", nil, "go on where 'handclasp scan --resume' stopped: `STATES`, that of each shard, or the one of a scan that wasn't cut")
	parsed(f, &s.Lease, pick.Spacing, "lease", fleet.DefaultLease.String(), "`TIME`: how long a shard stays with a worker that isn't heard of")
	f.Int64Var(&s.MaxBytes, "max-bytes", 0, "the server holds `N` bytes of results at most, and workers wait while it is full; 0 is 4 GiB, or half of what it has left if that is less")
	hide(f)
}

func (o *submission) submit(cmd *cobra.Command, client *fleet.Client, s *fleet.Scan) (err error) {
	s.NoDetection = !o.detect
	if err := o.files.store(cmd.Context(), client, s); err != nil {
		return err
	}
	var inputs, exclude io.ReadSeeker
	switch o.list {
	case "":
	case "-":
		data, err := io.ReadAll(cmd.InOrStdin())
		if err != nil {
			return fmt.Errorf("--input: %w", err)
		}
		inputs = bytes.NewReader(data)
	default:
		f, err := os.Open(o.list)
		if err != nil {
			return fmt.Errorf("--input: %w", err)
		}
		defer f.Close()
		inputs = f
	}
	lines := strings.Join(o.exclude, "\n")
	if o.excludeFile != "" {
		data, err := os.ReadFile(o.excludeFile)
		if err != nil {
			return fmt.Errorf("--exclude-file: %w", err)
		}
		lines += "\n" + string(data)
	}
	if lines != "" {
		exclude = strings.NewReader(lines)
	}
	if o.resume == nil {
		return client.Submit(cmd.Context(), s, inputs, exclude)
	}
	states, err := readStates(o.resume)
	if err != nil {
		return err
	}
	return client.SubmitFrom(cmd.Context(), s, inputs, exclude, states)
}

// readStates reads what 'handclasp scan --resume' keeps.
func readStates(files []string) (all []scan.State, err error) {
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--resume: %w", err)
		}
		var state struct {
			Scan *scan.State `json:"scan"`
		}
		if err := json.Unmarshal(data, &state); err != nil || state.Scan == nil {
			return nil, fmt.Errorf("--resume: %s is no state of a scan", file)
		}
		all = append(all, *state.Scan)
	}
	return all, nil
}
