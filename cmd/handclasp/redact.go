package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/internal/redact"
	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/report"
)

const redactHelp = `Write stored results without what tells whose they are, for sharing.

RESULTS is a file of JSON lines as handclasp scan --format jsonl writes them, or - for standard input.
Names, addresses, shares, listings, certificates' names, host keys and free text are replaced by
pseudonyms, which are the same for the same name; of what protocols say themselves the words that say
nothing of anybody are left, such as FEAT, a product's name or its version. Findings keep their rules,
severities and proofs. Numbers and times stay. Conversations are left out; with --transcript their text
is redacted likewise, and what is no text is left out; they can't be replayed any more.

Pseudonyms are another's at each run unless --key-file names what they are made with. Whoever has that
file can find out whether a name that he guesses is among them: keep it for yourself.

Look through the output before you send it: it is for you to say what tells too much.`

func (a *app) redactCommand() *cobra.Command {
	var output, key string
	var transcripts bool
	cmd := &cobra.Command{
		Use:   "redact [flags] RESULTS",
		Short: "Take names, addresses, shares and listings out of stored results",
		Long:  redactHelp,
		Example: `  handclasp redact --output shared.jsonl results.jsonl
  handclasp redact --transcript results.jsonl | less`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{errors.New("one file of results is redacted: name it, or - for standard input"), cmd.CommandPath()}
			}
			o := redact.Options{Transcripts: transcripts}
			var err error
			if o.Key, err = readKey(key); err != nil {
				return err
			}
			return a.interruptible(cmd.Context(), func(ctx context.Context) error { return a.redact(ctx, o, output, args[0]) })
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(value[string]{&output, parseFile, text, "FILE"}, "output", "o", "write to FILE instead of standard output")
	f.BoolVar(&transcripts, "transcript", false, "keep what was said, redacted")
	f.Var(value[string]{&key, parseFile, text, "FILE"}, "key-file", "make pseudonyms with the content of FILE, at least 16 bytes, so that those of another run are the same")
	cmd.SetUsageTemplate(cmd.UsageTemplate() + reportExitHelp)
	return cmd
}

// leastKey is less than what could be found by trying.
const leastKey = 16

// readKey reads a key, or makes one up.
func readKey(path string) ([]byte, error) {
	if path == "" {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		return key, nil
	}
	key, err := os.ReadFile(path)
	if err == nil && len(key) < leastKey {
		err = fmt.Errorf("shorter than %d bytes: make one with head -c 32 /dev/urandom", leastKey)
	}
	if err != nil {
		return nil, fmt.Errorf("--key-file: %s: %w", path, userfile.Cause(err))
	}
	return key, nil
}

func (a *app) redact(ctx context.Context, o redact.Options, output, path string) error {
	stored, err := a.openStored(path)
	if err != nil {
		return err
	}
	defer stored.close()
	out, err := openOutput(output, a.stdout)
	if err != nil {
		return err
	}
	r, lines := redact.New(a.readers(), o), report.NewJSONL(out)
	for e := range stored.entries() {
		if e = r.Entry(e); e.Result == nil {
			err = writeEntry(out, e)
		} else {
			err = lines.Write(e.Record)
		}
		if err != nil || ctx.Err() != nil {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		out.discard()
		return errors.New("interrupted")
	case err != nil:
		return out.failure(err)
	case stored.foreign() != nil:
		out.discard()
		return stored.foreign()
	}
	if err := out.commit(); err != nil {
		return err
	}
	if stored.bad > 0 {
		return exit(exitTrouble)
	}
	return nil
}
