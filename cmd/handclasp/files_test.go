package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnoughFiles(t *testing.T) {
	require.NoError(t, enoughFiles(16384, 0), "a system that doesn't say")
	require.NoError(t, enoughFiles(1008, 1024))
	require.EqualError(t, enoughFiles(1009, 1024), "--concurrency 1009: this system lets a program have 1024 files open, "+
		"and each connection is one: take 1008 or less, or allow more, as with ulimit -n 1025")
	require.ErrorContains(t, enoughFiles(1, 10), "is one: allow more, as with ulimit -n 17")
}
