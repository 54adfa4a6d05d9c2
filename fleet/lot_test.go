package fleet

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// unpacked are the lines of a message; those that are to be compared have a mark.
func unpacked(t *testing.T, h nats.Header, body []byte) (lines []string, err error) {
	u, err := newUnpacker()
	require.NoError(t, err)
	defer u.z.Close()
	err = u.unpack(h, body, func(line []byte, compare bool) error {
		text := string(line)
		if compare {
			text = "* " + text
		}
		lines = append(lines, text)
		return nil
	})
	return lines, err
}

// What is packed comes out again, in as many messages as its bytes need, and what is to be compared is.
func TestLots(t *testing.T) {
	var l lot
	var want []string
	for i := range 100 {
		line := fmt.Sprintf(`{"n":%d,"text":"%s"}`, i, strings.Repeat("x", i))
		l.add([]byte(line), i%3 == 0)
		if i%3 == 0 {
			line = "* " + line
		}
		want = append(want, line)
	}
	require.Equal(t, 100, l.len())
	for most, messages := range map[int]int{1 << 20: 1, l.bytes + 100: 1, l.bytes/2 + 200: 2, 130: 75} {
		all := newPacker().pack(l, most)
		require.InDelta(t, messages, len(all), float64(messages/10), most)
		var is []string
		for _, m := range all {
			lines, err := unpacked(t, m.Header, m.Data)
			require.NoError(t, err)
			require.LessOrEqual(t, len(strings.Join(lines, "")), most+2*len(lines))
			is = append(is, lines...)
		}
		require.ElementsMatch(t, want, is)
	}
	require.Empty(t, newPacker().pack(lot{}, 1<<20))
}

// Whoever sent a message may have made anything of it.
func TestUnpackedMessages(t *testing.T) {
	packed := func(body string) []byte {
		z, err := zstd.NewWriter(nil)
		require.NoError(t, err)
		return z.EncodeAll([]byte(body), nil)
	}
	compressed := nats.Header{headerEncoding: {encoding}}
	for name, tc := range map[string]struct {
		header nats.Header
		body   []byte
		lines  []string
		fails  string
	}{
		"a line alone":         {body: []byte("{}"), lines: []string{"* {}"}},
		"nothing":              {fails: "it holds nothing"},
		"nothing, compressed":  {header: compressed, body: packed(""), fails: "it holds nothing"},
		"lines":                {body: []byte("{}\n{}\n"), lines: []string{"* {}", "* {}"}},
		"no number of results": {header: nats.Header{headerEncoding: {encoding}, headerCompare: {"x"}}, body: packed("{}\n"), lines: []string{"* {}"}},
		"too high a number":    {header: nats.Header{headerEncoding: {encoding}, headerCompare: {"9"}}, body: packed("{}\n"), lines: []string{"* {}"}},
		"another encoding":     {header: nats.Header{headerEncoding: {"br"}}, body: []byte("{}"), fails: `it is encoded by "br"`},
		"not compressed":       {header: compressed, body: []byte("{}"), fails: "it can't be unpacked"},
		"cut short":            {header: compressed, body: packed("{}\n")[:9], fails: "it can't be unpacked"},
		"far too much":         {header: compressed, body: packed(strings.Repeat(" ", maxLot+1)), fails: "it can't be unpacked"},
	} {
		lines, err := unpacked(t, tc.header, tc.body)
		if tc.fails != "" {
			require.ErrorContains(t, err, tc.fails, name)
			require.Empty(t, lines, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, tc.lines, lines, name)
	}
}

func FuzzUnpack(f *testing.F) {
	var l lot
	l.add([]byte(`{"protocol":"ftp"}`), true)
	l.add([]byte(`{"protocol":"ssh"}`), false)
	for _, m := range newPacker().pack(l, 1<<20) {
		f.Add(m.Data, m.Header.Get(headerCompare))
	}
	f.Add([]byte("{}\n"), "")
	u, err := newUnpacker()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte, compare string) {
		n := 0
		err := u.unpack(nats.Header{headerEncoding: {encoding}, headerCompare: {compare}}, body, func(line []byte, _ bool) error {
			require.False(t, bytes.ContainsRune(line, '\n'))
			n += len(line)
			return nil
		})
		require.LessOrEqual(t, n, maxLot)
		if err != nil {
			require.Zero(t, n)
		}
	})
}
