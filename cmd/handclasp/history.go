package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/report"
)

func (a *app) historyCommand() *cobra.Command {
	var q questions
	cmd := &cobra.Command{
		Use:     "history --state FILE HOST|RULE",
		Short:   "Tell all that happened to a host, or by a rule",
		Example: `  handclasp history --state fleet.db ftp.example.net`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{errors.New("name one host, or one rule"), cmd.CommandPath()}
			}
			return a.history(cmd.Context(), &q, args[0])
		},
	}
	q.register(cmd)
	return cmd
}

func (a *app) history(ctx context.Context, q *questions, of string) error {
	state, err := q.ask()
	if err != nil {
		return err
	}
	defer state.Close()
	var events []monitor.Event
	var list []report.Block
	for e, err := range state.History(ctx, of) {
		if err != nil {
			return err
		}
		events = append(events, e)
		night := e.At.Format("2006-01-02 15:04")
		if len(list) == 0 || list[len(list)-1].Head != night {
			list = append(list, report.Block{Head: night})
		}
		line := eventLine(e)
		if !strings.HasPrefix(line.Text, e.Endpoint.Host) { // of what isn't a finding it says so itself
			line.Text = e.Endpoint.Host + " " + line.Text
		}
		last := &list[len(list)-1]
		last.Lines = append(last.Lines, line)
	}
	if len(events) == 0 {
		return fmt.Errorf("nothing happened to %s: name a host as it is asked for, or a rule's id", of)
	}
	if q.format == formatJSONL {
		_, err = a.stdout.Write(eventLines(events))
	} else {
		err = report.WriteBlocks(a.stdout, list, a.tableLook())
	}
	if err != nil {
		return fmt.Errorf("standard output: %w", userfile.Cause(err))
	}
	return nil
}
