//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNotifyTakesWhatTheReceiverSays(t *testing.T) {
	lines := bytes.Repeat([]byte("{}\n"), 1<<16)
	for command, want := range map[string]string{
		"cat >/dev/null":     "",
		"true":               "", // read nothing
		"sleep 9 & exit 0":   "", // left something behind, which holds its output
		"echo no; exit 3":    "exit status 3: no",
		"exit 3":             "exit status 3",
		"./isn't/there":      "exit status 2",
		"/bin/sh /not/there": "exit status",
	} {
		err := runNotify(t.Context(), command, lines)
		if want == "" {
			require.NoError(t, err, command)
			continue
		}
		require.ErrorContains(t, err, want, command)
	}
	err := runNotify(t.Context(), "yes complaint | head -c 9000000; exit 1", lines)
	require.ErrorContains(t, err, "exit status 1: complaint")
	require.Less(t, len(err.Error()), 5000)
}

// A receiver that is given up ends with all that it started.
func TestNotifyEndsAllOfTheReceiver(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		failed <- runNotify(ctx, "exec 3>'"+pipe+"'; (echo started >&3; sleep 60; echo survived >&3) & wait", nil)
	}()
	f, err := os.Open(pipe)
	require.NoError(t, err)
	defer f.Close()
	_, err = io.ReadFull(f, make([]byte, len("started\n")))
	require.NoError(t, err)
	cancel()
	rest, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Empty(t, string(rest))
	require.Error(t, <-failed)
}
