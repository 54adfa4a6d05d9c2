package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/report"
)

// writeEvents writes events that are told under one head as text, in a block, or as JSON lines.
func writeEvents(w io.Writer, format string, events []monitor.Event, look report.TableOptions) error {
	if len(events) == 0 {
		return nil
	}
	if format == formatJSONL {
		_, err := w.Write(eventLines(events))
		return err
	}
	b := report.Block{Head: head(events[0])}
	for _, e := range events {
		b.Lines = append(b.Lines, eventLine(e))
	}
	return report.WriteBlocks(w, []report.Block{b}, look)
}

// eventLines are events as JSON, one a line.
func eventLines(events []monitor.Event) []byte {
	var b bytes.Buffer
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			continue // an event was JSON before
		}
		b.Write(append(report.CleanJSON(line), '\n'))
	}
	return b.Bytes()
}

// head is what an event is told under: a host, a group or a cause.
func head(e monitor.Event) string {
	switch {
	case e.Note != nil && e.Note.Group != "":
		return e.Note.Group
	case e.Endpoint.Host != "":
		return e.Endpoint.Host
	case e.Summary != nil:
		return "scan"
	}
	return "all"
}

func eventLine(e monitor.Event) report.Line {
	switch {
	case e.Change != nil:
		return report.ChangeLine(*e.Change)
	case e.Note != nil:
		return report.NoteLine(*e.Note)
	}
	s := e.Summary
	text := fmt.Sprintf("%s · %d new · %d changed · %d resolved · %d unknown · %d unchanged",
		several(s.Endpoints, "endpoint"), s.New, s.Changed, s.Resolved, s.Unknown, s.Unchanged)
	if s.Complete != "yes" {
		text += " · the scan is incomplete"
	}
	return report.Line{Kind: e.At.Format("2006-01-02 15:04"), Text: text}
}

// How notifications are delivered.
const (
	notifyTime  = time.Minute
	notifyTries = 3
	notifyBatch = 500
	notifyLost  = 2 // batches in a row that weren't taken, behind which the rest isn't tried
)

// deliver runs a command with the events that nobody got yet. What it doesn't take stays in the state, is told with 'handclasp
// status', and comes again the next time.
func (a *app) deliver(ctx context.Context, command string, state *monitor.State) error {
	var batch []monitor.Event
	lost := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		ids := make([]int64, len(batch))
		for i, e := range batch {
			ids[i] = e.ID
		}
		lines := eventLines(batch)
		batch = nil
		err := a.notify(ctx, command, lines)
		switch {
		case err == nil:
			lost = 0
			return state.Ack(context.WithoutCancel(ctx), ids...)
		case ctx.Err() != nil:
			return errors.New("interrupted: what --notify-exec didn't take comes again")
		}
		lost++
		a.complain("--notify-exec: %v: the events are kept and come again", err)
		return state.Failed(ctx, err, ids...)
	}
	for e, err := range state.Events(ctx, 0) {
		if err != nil {
			return err
		}
		if batch = append(batch, e); len(batch) == notifyBatch {
			if err := flush(); err != nil || lost == notifyLost {
				return err
			}
		}
	}
	return flush()
}

// notify tries a few times, and waits longer each time.
func (a *app) notify(ctx context.Context, command string, lines []byte) (err error) {
	for try := range notifyTries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second << (2 * (try - 1))):
			}
		}
		if err = runNotify(ctx, command, lines); err == nil {
			return nil
		}
	}
	return err
}

// runNotify runs the command once. What it left in the background isn't waited for; if it takes too long, that ends as well.
func runNotify(ctx context.Context, command string, lines []byte) error {
	ctx, cancel := context.WithTimeout(ctx, notifyTime)
	defer cancel()
	var said beginning
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = bytes.NewReader(lines), &said, &said, time.Second
	killTogether(cmd)
	err := cmd.Run()
	switch text := strings.TrimSpace(string(said)); {
	case errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success():
		return nil
	case ctx.Err() != nil && err != nil:
		return fmt.Errorf("it took longer than %v", notifyTime)
	case err != nil && text != "":
		return fmt.Errorf("%w: %s", err, shortened(errors.New(text)))
	}
	return err
}

// A beginning keeps the first of what is written to it, and takes the rest.
type beginning []byte

func (b *beginning) Write(p []byte) (int, error) {
	const most = 4 << 10
	*b = append(*b, p[:min(len(p), most-len(*b))]...)
	return len(p), nil
}
