package ssh

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// sink is a connection that takes everything and says nothing.
type sink struct{ io.Writer }

func (sink) Read([]byte) (int, error)         { return 0, io.EOF }
func (sink) Close() error                     { return nil }
func (sink) LocalAddr() string                { return "" }
func (sink) RemoteAddr() string               { return "" }
func (sink) SetDeadline(time.Time) error      { return nil }
func (sink) SetReadDeadline(time.Time) error  { return nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

// What a server would have the library say inside the encryption, beside what is meant to be said, is the server's doing,
// and isn't left to the guard to refuse.
func TestTapEndsBeforeTheGuard(t *testing.T) {
	for name, messages := range map[string][]int{"another exchange of keys": {100, 1200}, "a third message": {100, 140, 60}} {
		tap := newTap[string](sink{io.Discard}, "SSH-2.0-x", longestCipher)
		tap.newKeys = true
		for i, size := range messages {
			_, err := tap.Write(make([]byte, size))
			require.Equal(t, i == len(messages)-1, err != nil, name)
		}
		_, err := tap.seen()
		require.Equal(t, probe.OutcomeMalformed, probe.OutcomeOf(err), name)
	}
}
