package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// disk is a writer that takes a while, and may be full.
type disk struct {
	bytes.Buffer
	takes time.Duration
	size  int
}

var errFull = errors.New("full")

func (d *disk) Write(b []byte) (int, error) {
	time.Sleep(d.takes)
	if d.size > 0 && d.Len()+len(b) > d.size {
		return 0, errFull
	}
	return d.Buffer.Write(b)
}

func TestSpoolDoesNotWaitForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{takes: time.Second}
		s := newSpool(d, func() { t.Error("failed") })
		start := time.Now()
		var want bytes.Buffer
		for i := range 10_000 {
			line := fmt.Sprintf("%d\n", i)
			want.WriteString(line)
			_, err := s.Write([]byte(line))
			require.NoError(t, err)
		}
		require.Zero(t, time.Since(start))
		require.NoError(t, s.Close())
		require.Equal(t, want.String(), d.String())
	})
}

func TestSpoolIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{takes: time.Second}
		s := newSpool(d, nil)
		start := time.Now()
		for range 3 * spoolSize / 1024 {
			_, err := s.Write(make([]byte, 1024))
			require.NoError(t, err)
			s.mu.Lock()
			require.LessOrEqual(t, len(s.waiting), spoolSize+1024)
			s.mu.Unlock()
		}
		require.Greater(t, time.Since(start), time.Second)
		require.NoError(t, s.Close())
		require.Equal(t, 3*spoolSize, d.Len())
	})
}

// A mark comes when all before it is written, and not more.
func TestSpoolMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{takes: time.Second}
		s := newSpool(d, nil)
		last := 0
		for i := range 20 {
			_, _ = s.Write(make([]byte, 100))
			s.Mark(func() error {
				require.GreaterOrEqual(t, d.Len(), (i+1)*100)
				last = i
				return nil
			})
			time.Sleep(300 * time.Millisecond)
		}
		require.NoError(t, s.Close())
		require.Equal(t, 19, last)
	})
}

func TestSpoolFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		s := newSpool(&disk{size: 250, takes: time.Second}, func() { told++ })
		marked := false
		for range 3 {
			_, _ = s.Write(make([]byte, 100))
			time.Sleep(2 * time.Second)
		}
		s.Mark(func() error { marked = true; return nil })
		_, err := s.Write([]byte("x"))
		require.ErrorIs(t, err, errFull)
		require.ErrorIs(t, s.Close(), errFull)
		require.False(t, marked)
		require.Equal(t, 1, told)

		s = newSpool(new(disk), func() { told++ })
		s.Mark(func() error { return errFull })
		require.ErrorIs(t, s.Close(), errFull)
		require.Equal(t, 2, told)
	})
}
