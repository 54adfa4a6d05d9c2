package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

const recordHelp = `Make a test of a stored conversation: a transcript file, as those in testdata/transcripts of each protocol.

RESULTS is a file that 'handclasp scan --format jsonl --transcript' wrote, or - for standard input. If it
holds several conversations --target says which. The address becomes one for documentation (192.0.2.7, or
2001:db8::7), and the file is played before it is written, so that it is sure to hold.

What the server said stays as it was, its names and certificates included: look through the file, and
take out what is private, before you publish it.`

// recording are what the flags say.
type recording struct {
	server string
	target string
	output string
}

func (a *app) recordCommand() *cobra.Command {
	var o recording
	cmd := &cobra.Command{
		Use:   "record [flags] RESULTS",
		Short: "Make a test of a stored conversation",
		Long:  recordHelp,
		Example: `  handclasp scan --level anonymous --transcript --output results.jsonl ftp://ftp.example.net
  handclasp record --server 'ProFTPD 1.3.8' --output ftp/testdata/transcripts/proftpd-1.3.8.txt results.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{errors.New("one file of results is read: name it, or - for standard input"), cmd.CommandPath()}
			}
			return a.interruptible(cmd.Context(), func(ctx context.Context) error { return a.record(ctx, &o, args[0]) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.server, "server", "", "the server's name and version, for the head: `TEXT`")
	f.Var(value[string]{&o.target, parseWord, text, "ENDPOINT"}, "target", "record the conversation with ENDPOINT, such as 192.0.2.7:21, as the results name it")
	f.VarP(value[string]{&o.output, parseFile, text, "FILE"}, "output", "o", "write to FILE instead of standard output")
	return cmd
}

func (a *app) record(ctx context.Context, o *recording, path string) error {
	r, err := a.conversation(o, path)
	if err != nil {
		return err
	}
	rec := replay.Record(r.Result, strings.TrimSpace(o.server), r.Started.UTC().Format(time.DateOnly))
	disguise(rec)
	text := rec.Format()
	if err := a.played(ctx, r, text); err != nil {
		return fmt.Errorf("%s: the conversation with %s isn't held so any more: %w: scan again with this version", path, r.Endpoint(), err)
	}
	out, err := openOutput(o.output, a.stdout)
	if err != nil {
		return err
	}
	if _, err := out.Write(text); err != nil {
		return out.failure(err)
	}
	return out.commit()
}

// conversation returns the one that is meant.
func (a *app) conversation(o *recording, path string) (r finding.Record, err error) {
	stored, err := a.openStored(path)
	if err != nil {
		return r, err
	}
	defer stored.close()
	var others []string
	for record := range stored.records() {
		meant := o.target == "" || o.target == record.Endpoint() || o.target == record.Target.Addr.String()
		if len(record.Transcript) == 0 || !meant {
			continue
		}
		if others = append(others, record.Endpoint()); len(others) == 1 {
			r = record
		}
	}
	switch {
	case stored.foreign() != nil:
		return r, stored.foreign()
	case len(others) == 0 && o.target != "":
		return r, fmt.Errorf("%s: no conversation with %s: scan with --transcript", path, o.target)
	case len(others) == 0:
		return r, fmt.Errorf("%s: no conversation: scan with --transcript", path)
	case len(others) > 1:
		return r, fmt.Errorf("%s: several conversations: choose one with --target: %s", path, strings.Join(others[:min(3, len(others))], ", "))
	}
	return r, nil
}

// disguise puts an address for documentation (RFC 5737, RFC 3849) in place of the server's.
func disguise(rec *replay.Recording) {
	host, public := rec.Target.Addr.Addr(), netip.MustParseAddr("192.0.2.7")
	if !host.Unmap().Is4() {
		public = netip.MustParseAddr("2001:db8::7")
	}
	rec.Target.Addr = netip.AddrPortFrom(public, rec.Target.Addr.Port())
	for i, e := range rec.Transcript {
		if e.Dir != probe.DirOpen {
			continue
		}
		opened, network, said := strings.Cut(string(e.Data), "/")
		if at, err := netip.ParseAddrPort(opened); err == nil && at.Addr() == host {
			opened = netip.AddrPortFrom(public, at.Port()).String()
			if said {
				opened += "/" + network
			}
			rec.Transcript[i].Data = []byte(opened)
		}
	}
}

// played holds the conversation again as the file tells it.
func (a *app) played(ctx context.Context, stored finding.Record, text []byte) error {
	rec, err := replay.Parse(text)
	if err != nil {
		return err
	}
	again := *stored.Result
	again.Target, again.Transcript = rec.Target, rec.Transcript
	_, err = replay.Reprobe(ctx, &again, (&replaying{app: a}).candidates(stored.Protocol)...)
	return err
}
