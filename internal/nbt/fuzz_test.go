package nbt

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzParseReply(f *testing.F) {
	f.Add(record("\x84\x00", oneAnswer, wildcardName, "\x00\x21", "\x01FILER          \x00\x04\x00\x00\x50\x56\x01\x02\x03"))
	f.Add(record("\x85\x00", oneAnswer, wildcardName, "\x00\x20", "\x00\x00\xc0\x00\x02\x07"))
	f.Add(record("\x85\x03", "\x00\x00\x00\x00", wildcardName, "\x00\x0a", ""))
	f.Add(record("\x86\x00", "\x00\x01\x00\x01", wildcardName+"\x00\x21\x00\x01"+"\xc0\x0c", "\x00\x21", "data"))
	f.Add(StatusQuery(nil, 1, Wildcard))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReply(b)
		if err != nil {
			require.Nil(t, r)
			return
		}
		require.NotZero(t, b[2]&0x80, "responses only")
		require.LessOrEqual(t, len(r.Data), len(b))
		require.True(t, bytes.HasSuffix(b, r.Data) || !r.Short)
		s, err := ParseStatus(r.Data)
		require.NotNil(t, s.Names)
		require.LessOrEqual(t, len(s.Names), s.Count)
		require.LessOrEqual(t, s.Count, 255)
		if err == nil {
			require.Contains(t, []int{0, 6}, len(s.UnitID))
			require.Len(t, s.Names, s.Count)
		}
		addrs, _ := ParseAddresses(r.Data)
		require.Len(t, addrs, min(len(r.Data)/6, maxAddresses))
	})
}

// FuzzName holds encoding and decoding together.
func FuzzName(f *testing.F) {
	f.Add([]byte("FILER          \x20"))
	f.Add([]byte("\x01\x02__MSBROWSE__\x02\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if parsed, next, err := parseName(b, 0); err == nil {
			require.LessOrEqual(t, next, len(b))
			require.Equal(t, b[:33], AppendName(nil, parsed)[:33])
		}
		var n Name
		copy(n[:], b)
		again, next, err := parseName(AppendName(nil, n), 0)
		require.NoError(t, err)
		require.Equal(t, n, again)
		require.Equal(t, encodedSize, next)
		n.Text()
	})
}

func FuzzReadSessionReply(f *testing.F) {
	f.Add("\x82\x00\x00\x00")
	f.Add("\x85\x00\x00\x00\x83\x00\x00\x01\x82")
	f.Add("\x84\x00\x00\x06\xc0\x00\x02\x09\x04\x00")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ReadSessionReply(inMemory(s))
		require.Equal(t, err != nil, r == nil)
		if r != nil {
			require.Contains(t, []byte{TypePositive, TypeNegative, TypeRetarget}, r.Type)
		}
	})
}
