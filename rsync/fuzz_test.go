package rsync_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/rsync"
)

// between stands between what is said on one connection and on the next.
const between = "\x1e"

// A said is a connection whose other side says something and leaves.
type said struct {
	net.Conn
	*bytes.Reader
	sent int
}

func (s *said) Read(b []byte) (int, error)       { return s.Reader.Read(b) }
func (s *said) Write(b []byte) (int, error)      { s.sent++; return len(b), nil }
func (s *said) Close() error                     { return nil }
func (s *said) SetDeadline(time.Time) error      { return nil }
func (s *said) SetReadDeadline(time.Time) error  { return nil }
func (s *said) SetWriteDeadline(time.Time) error { return nil }

// FuzzProbe holds whole conversations with a daemon that says anything.
func FuzzProbe(f *testing.F) {
	files, err := filepath.Glob(transcripts + "*.txt")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		recording, err := replay.Parse(text)
		require.NoError(f, err)
		var conns [][]byte
		for _, e := range recording.Transcript {
			switch e.Dir {
			case probe.DirOpen:
				conns = append(conns, nil)
			case probe.DirRecv:
				conns[len(conns)-1] = append(conns[len(conns)-1], e.Data...)
			}
		}
		f.Add(bytes.Join(conns, []byte(between)))
	}
	p := rsync.Prober{Modules: []string{"pub", "hidden"}, BusyWait: time.Nanosecond}
	f.Fuzz(func(t *testing.T, all []byte) {
		conns := bytes.Split(all, []byte(between))
		var opened []*said
		o := anonymous(probe.Limits{ReplyLines: 64, Total: time.Second})
		o.Rand = bytes.NewReader(bytes.Repeat([]byte("\x00"), 64))
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			c := &said{Reader: bytes.NewReader(conns[min(len(opened), len(conns)-1)])}
			opened = append(opened, c)
			return c, nil
		}
		r := probe.Run(context.Background(), p, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:873")}, o)
		require.NotContains(t, []probe.Outcome{probe.OutcomeInternal, probe.OutcomeForbidden}, r.Outcome, "%v", r.Err)
		for _, c := range opened {
			require.LessOrEqual(t, c.sent, 2)
		}
		e, ok := probe.As[*rsync.Evidence](r)
		require.True(t, ok)
		for _, m := range append(slices.Clone(e.Modules), rsync.Module{Name: "x", Access: e.AbsentAccess, Reply: e.AbsentReply}) {
			require.NotEmpty(t, m.Name)
			require.Equal(t, m.Access == rsync.AccessOpen, m.Reply == "@RSYNCD: OK")
		}
		stored, err := json.Marshal(r)
		require.NoError(t, err)
		decoded, err := probe.Decode(stored, rsync.Prober{})
		require.NoError(t, err)
		require.Equal(t, r.Evidence, decoded.Evidence)
	})
}
