package dtyp_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/dtyp"
)

func TestText(t *testing.T) {
	require.Equal(t, "Bü😀", dtyp.Text([]byte("B\x00\xfc\x00\x3d\xd8\x00\xde")))
	require.Equal(t, "", dtyp.Text(nil))
	require.Equal(t, "A\uFFFD", dtyp.Text([]byte("A\x00B")), "half a character")
	require.Equal(t, "\uFFFD", dtyp.Text([]byte{0, 0xd8}), "half a pair")
}

func TestFileTime(t *testing.T) {
	at := func(ticks uint64) *time.Time { return dtyp.FileTime(binary.LittleEndian.AppendUint64(nil, ticks)) }
	require.Equal(t, time.Date(1970, 1, 1, 0, 0, 0, 100, time.UTC), *at(116444736000000001))
	require.Equal(t, time.Date(1600+1, 1, 1, 0, 0, 0, 100, time.UTC), *at(1))
	require.Nil(t, at(0))
	require.Nil(t, at(1<<63))
	require.Nil(t, at(1<<63-1), "the year 30828")
	require.Nil(t, dtyp.FileTime([]byte{1}))
}

func TestGUID(t *testing.T) {
	require.Equal(t, "03020100-0504-0706-0809-0a0b0c0d0e0f", dtyp.GUID([16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}))
}
