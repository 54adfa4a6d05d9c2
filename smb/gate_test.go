package smb

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

func put16(at int, v uint16) func([]byte) []byte {
	return func(m []byte) []byte { le.PutUint16(m[at:], v); return m }
}

func put32(at int, v uint32) func([]byte) []byte {
	return func(m []byte) []byte { le.PutUint32(m[at:], v); return m }
}

func cut(n int) func([]byte) []byte { return func(m []byte) []byte { return m[:n] } }

// What isn't a well-formed answer ends the session before the library sees it, and is the server's fault.
func TestGateRefuses(t *testing.T) {
	const body, rpc = headerSize, headerSize + 48 // of an IOCTL response
	for name, c := range map[string]struct {
		command uint16
		change  func(m []byte) []byte
		says    string
	}{
		"an encrypted message":          {commandSessionSetup, put32(0, 0x424d53fd), "not an SMB2 message"},
		"a compressed message":          {commandSessionSetup, put32(0, 0x424d53fc), "not an SMB2 message"},
		"another header":                {commandNegotiate, put16(4, 63), "not an SMB2 message"},
		"another command":               {commandNegotiate, put16(12, 1), "answer to command 1"},
		"another message":               {commandTreeConnect, put32(24, 9), "answer to message 9"},
		"a request":                     {commandCreate, put32(16, 0), "flags"},
		"flags that aren't for replies": {commandCreate, put32(16, 5), "flags"},
		"a compound":                    {commandCreate, put32(20, 88), "compound"},
		"an async answer unpromised":    {commandCreate, put32(16, 3), "asynchronous"},
		"a promise without a number":    {commandCreate, put32(8, statusPending), "promise"},
		"another tree":                  {commandIoctl, put32(36, 8), "another tree"},
		"another session":               {commandTreeConnect, put32(40, 1), "another session"},
		"a session before there is one": {commandNegotiate, put32(40, 1), "another session"},
		"no credits":                    {commandTreeConnect, put16(14, 0), "no credit"},
		"cut in the header":             {commandTreeConnect, cut(headerSize), "not an SMB2 message"},
		"cut in the body":               {commandTreeConnect, cut(headerSize + 10), "another structure"},

		"a dialect to choose again":   {commandNegotiate, put16(body+4, 0x02ff), "0x02ff"},
		"a dialect not offered":       {commandNegotiate, put16(body+4, 0x0302), "0x0302"},
		"nothing at once":             {commandNegotiate, put32(body+32, 0), "next to nothing"},
		"a token outside":             {commandNegotiate, put32(body+56, 0xffff_0080), "outside"},
		"many contexts":               {commandNegotiate, put16(body+6, 0xffff), "contexts"},
		"contexts outside":            {commandNegotiate, put32(body+60, 0xfffffff8), "contexts"},
		"contexts in the header":      {commandNegotiate, put32(body+60, 8), "contexts"},
		"a context outside":           {commandNegotiate, put16(body+64+2, 0xffff), "context"},
		"many hashes":                 {commandNegotiate, put16(body+64+8, 0xffff), "preauthentication"},
		"a salt outside":              {commandNegotiate, put16(body+64+10, 0xffff), "preauthentication"},
		"many ciphers":                {commandNegotiate, put16(body+64+16+8, 0xffff), "encryption"},
		"a challenge outside":         {commandSessionSetup, put32(body+4, 0xffff_ffff), "outside"},
		"a challenge in the header":   {commandSessionSetup, put16(body+4, 8), "outside"},
		"no challenge":                {commandSessionSetup, put32(body+4, 0), "NTLM challenge"},
		"a challenge of another kind": {commandSessionSetup, func(m []byte) []byte { m[body+8] = 0xa0; return m }, "NTLM challenge"},
		"contexts of a file outside":  {commandCreate, put32(body+84, 8), "outside"},
		"contexts at odd places":      {commandCreate, put32(body+80, 1), "contexts"},

		"nothing out of the pipe":     {commandIoctl, put32(body+36, 0), "length"},
		"too much out of the pipe":    {commandIoctl, put32(body+36, 4281), "length"},
		"output outside":              {commandIoctl, put32(body+32, 0xffffffff), "outside"},
		"output in the header":        {commandIoctl, put32(body+32, 0), "outside"},
		"input outside":               {commandIoctl, put32(body+28, 1<<31), "outside"},
		"another RPC":                 {commandIoctl, put16(rpc, 4), "RPC"},
		"a big-endian RPC":            {commandIoctl, put32(rpc+4, 0), "RPC"},
		"an RPC PDU of all types":     {commandIoctl, put16(rpc+2, 0x0305), "type 5"},
		"an RPC PDU in the middle":    {commandIoctl, put16(rpc+2, 0x020c), "order"},
		"a longer RPC PDU":            {commandIoctl, put16(rpc+8, 0xffff), "length"},
		"a signed RPC PDU":            {commandIoctl, put16(rpc+10, 16), "length"},
		"an RPC PDU of another call":  {commandIoctl, put32(rpc+12, 77), "another call"},
		"an address outside":          {commandIoctl, put16(rpc+24, 0xffff), "bind_ack"},
		"a fragment for ever":         {commandRead, put32(body+4, 1), "part of"},
		"nothing more":                {commandRead, put32(body+4, 0), "length"},
		"more than asked":             {commandRead, put32(body+4, 5000), "length"},
		"data in the header":          {commandRead, func(m []byte) []byte { m[body+2] = 8; return m }, "outside"},
		"a number of shares and more": {commandRead, func(m []byte) []byte { return append(m, make([]byte, 64<<10)...) }, "reply of"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(fakesmb.Visit{Shares: fakeShares(longList(30, 20)), Fragment: 400, Part: 100})
			done := false
			r := visitServer("3.1.1", func(request []byte) (stream []byte) {
				messages := server.answer(request)
				if m := &messages[0]; uint16(u16(request, 12)) == c.command && !done {
					done = true
					*m = c.change(bytes.Clone(*m))
				}
				return frame(messages[0])
			})
			require.True(t, done)
			require.Equal(t, probe.OutcomeMalformed, r.Outcome, "%v", r.Err)
			require.ErrorContains(t, r.Err, c.says)
		})
	}
}

func TestTokenResponse(t *testing.T) {
	good := fakeChallenge()
	require.True(t, isTokenResponse(good))
	for i := range good {
		require.False(t, isTokenResponse(good[:i]), "cut to %d", i)
	}
	require.False(t, isTokenResponse(append(bytes.Clone(good), 0)))
	for _, token := range []string{
		"", "\xa1", "\xa1\x80", "\xa1\x84", "\xa1\x84\xff\xff\xff\xff", "\xa1\x85\x00\x00\x00\x00\x00", "\xa1\x02\x30\x00",
		"\xa1\x07\x30\x05\xa0\x03\x0a\x01\x01", "\xa1\x0a\x30\x08\xa1\x06\x06\x04\x2a\x03\x04\x05", "NTLMSSP\x00\x02\x00\x00\x00",
	} {
		require.False(t, isTokenResponse([]byte(token)), "%q", token)
	}
}
