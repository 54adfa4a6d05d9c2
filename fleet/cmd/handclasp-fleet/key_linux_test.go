package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// What key writes is what --nkey reads, for its owner alone, and isn't written over.
func TestKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker.nk")
	public, err := makeKey(path)
	require.NoError(t, err)
	option, err := nats.NkeyOptionFromSeed(path)
	require.NoError(t, err)
	var o nats.Options
	require.NoError(t, option(&o))
	require.Equal(t, public, o.Nkey)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	_, err = makeKey(path)
	require.ErrorIs(t, err, os.ErrExist)
}
