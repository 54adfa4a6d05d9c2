package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/scan"
)

// An app is the command with the world around it.
type app struct {
	probers     []probe.Prober
	rules       []finding.Rule
	comparisons []finding.Comparison
	profile     finding.Profile
	config      configuration
	policies    []finding.Policy // whose rules are among them
	stdin       io.Reader
	stdout      *os.File
	stderr      *os.File
	resolver    scan.Resolver                        // nil for the system's
	dial        probe.DialFunc                       // a simulated network, for tests; nil for the real one
	after       func(time.Duration) <-chan time.Time // a clock for tests; nil for the real one
}

// readers are the probers whose evidence a stored result may hold.
func (a *app) readers() []probe.Prober { return append(slices.Clone(a.probers), detect.Detector{}) }

// judge makes records of a scan's results.
func (a *app) judge(o *options) *handclasp.Judge {
	return handclasp.NewJudge(&handclasp.Options{
		Probers: a.probers, Rules: slices.Concat(a.rules, o.advice.judge.Rules()), Comparisons: a.comparisons, Fingerprints: o.software,
		Profile: a.profile, Accept: o.accept.Acceptor,
	})
}

// An exit ends the command with a status, and with nothing more to say.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// A usageError is a mistake in how the command was called. The help that would show how to is named behind it.
type usageError struct {
	err  error
	help string
}

func (e *usageError) Error() string { return fmt.Sprintf("%v; see '%s --help'", e.err, e.help) }

// main runs the command and returns its exit status. Whatever went wrong is one line on standard error.
func (a *app) main(args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	var status exit
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	}
	a.complain("%v", err)
	return exitTrouble
}

// piped reports whether somebody gives standard input: a pipe or a file, and no terminal.
func (a *app) piped() bool {
	f, ok := a.stdin.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

// complain writes one line to standard error.
func (a *app) complain(format string, args ...any) {
	fmt.Fprintf(a.stderr, "handclasp: %s\n", report.Clean(fmt.Sprintf(format, args...)))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "handclasp",
		Short: "Shake hands with FTP, SMTP, NNTP, rsync, NetBIOS, SMB and SSH services, safely, and report what an outsider learns",
		Long: `handclasp connects to FTP, mail (SMTP), news (NNTP), rsync, NetBIOS, SMB and SSH services, speaks each protocol
just far enough to collect evidence, and leaves. It never logs in with a credential, writes, uploads, mails or guesses.

Scan only what you may: your own systems, or those whose owner agreed.`,
		Example: `  handclasp scan ftp.example.net
  handclasp scan --help
  handclasp demo`,
		Version:            version(),
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true,
		Args:               cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("unknown command %q", args[0]), cmd.CommandPath()}
			}
			return cmd.Help()
		},
	}
	plain := root.PersistentFlags().Bool("no-color", false, "write no colours; a variable NO_COLOR says the same")
	var config string
	root.PersistentFlags().Var(value[string]{&config, parseFile, text, "FILE"}, "config", "read settings from FILE instead of handclasp.yaml in the user's configuration; 'handclasp config' tells more")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if configured(cmd) {
			if config == "" {
				config = os.Getenv(envPrefix + "CONFIG")
			}
			if err := a.configure(cmd, config); err != nil {
				return err
			}
		}
		if *plain {
			return os.Setenv("NO_COLOR", "1")
		}
		return nil
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &usageError{err, cmd.CommandPath()} })
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(
		a.scanCommand(), a.reportCommand(), a.diffCommand(), a.watchCommand(), a.statusCommand(), a.historyCommand(), a.replayCommand(), a.redactCommand(), a.recordCommand(),
		a.rulesCommand(), a.policiesCommand(), a.keysCommand(), a.advisoriesCommand(), a.demoCommand(), a.configCommand(), a.manCommand(), versionCommand(),
	)
	a.complete(root)
	return root
}
