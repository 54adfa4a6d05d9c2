package lab_test

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/lab"
)

// exchange sends a message of SMB and returns the reply, both without the length in front.
func (c *client) exchange(message string) string {
	c.t.Helper()
	_, err := c.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...))
	require.NoError(c.t, err)
	var head [4]byte
	_, err = io.ReadFull(c.conn, head[:])
	require.NoError(c.t, err)
	reply := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err = io.ReadFull(c.conn, reply)
	require.NoError(c.t, err)
	return string(reply)
}

// zeros are so many of them.
func zeros(n int) string { return string(make([]byte, n)) }

func TestOldFiles(t *testing.T) {
	s, err := lab.OldFiles(t.Context())
	must(t, s, err)
	require.Equal(t, "smb://"+s.Addr.String(), s.URL)

	smb1 := dial(t, s)
	reply := smb1.exchange("\xffSMB\x72" + zeros(27) + "\x00\x0c\x00\x02NT LM 0.12\x00")
	require.Equal(t, "\x11\x00\x00\x03", reply[32:36], "the first dialect, and challenges without signatures")
	require.Contains(t, reply, "L\x00A\x00B\x00")

	header := func(command byte) string { return "\xfeSMB\x40" + zeros(7) + string(command) + zeros(51) }
	negotiate := func(dialect string) string {
		return header(0) + "\x24\x00\x01\x00\x01" + zeros(31) + dialect
	}
	require.Equal(t, "\x41\x00\x01\x00\x10\x02", dial(t, s).exchange(negotiate("\x10\x02"))[64:70])
	require.Equal(t, "\xbb\x00\x00\xc0", dial(t, s).exchange(negotiate("\x11\x03"))[8:12], "not supported")

	login := dial(t, s)
	login.exchange(negotiate("\x02\x02"))
	first := login.exchange(header(1) + "\x19\x00" + zeros(22) + "NTLMSSP\x00\x01\x00\x00\x00" + zeros(28))
	require.Equal(t, "\x16\x00\x00\xc0", first[8:12], "more to come")
	require.Contains(t, first, "NTLMSSP\x00\x02")
	last := login.exchange(header(1) + "\x19\x00" + zeros(22) + "NTLMSSP\x00\x03\x00\x00\x00" + zeros(60))
	require.Equal(t, "\x22\x00\x00\xc0", last[8:12], "nobody is let in")
	require.NoError(t, s.Close())
}

func TestOldFilesHangsUp(t *testing.T) {
	s, err := lab.OldFiles(t.Context())
	must(t, s, err)
	c := dial(t, s)
	_, err = c.conn.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	c.closed()
}
