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

// What isn't a well-formed answer ends the session, and is the server's fault.
func TestSessionRefuses(t *testing.T) {
	const body, rpc = headerSize, headerSize + 48 // of an IOCTL response
	for name, c := range map[string]struct {
		command uint16
		change  func(m []byte) []byte
		says    string
	}{
		"an encrypted message": {commandSessionSetup, put32(0, 0x424d53fd), "no SMB message"},
		"a compressed message": {commandSessionSetup, put32(0, 0x424d53fc), "no SMB message"},
		"another header":       {commandNegotiate, put16(4, 63), "size 63"},
		"another command":      {commandNegotiate, put16(12, 1), "command 0x0001"},
		"another message":      {commandTreeConnect, put32(24, 9), "message 9"},
		"a request":            {commandCreate, put32(16, 0), "a request"},
		"a compound":           {commandCreate, put32(20, 88), "compound"},
		"another tree":         {commandIoctl, put32(36, 8), "another tree"},
		"another session":      {commandTreeConnect, put32(40, 1), "another session"},
		"no credits":           {commandTreeConnect, put16(14, 0), "no credit"},
		"cut in the header":    {commandTreeConnect, cut(headerSize), "too early"},
		"cut in the body":      {commandTreeConnect, cut(headerSize + 10), "too early"},

		"a dialect to choose again":   {commandNegotiate, put16(body+4, 0x02ff), "0x02ff"},
		"a dialect not offered":       {commandNegotiate, put16(body+4, 0x0302), "0x0302"},
		"a token outside":             {commandNegotiate, put32(body+56, 0xffff_0080), "outside"},
		"many contexts":               {commandNegotiate, put16(body+6, 0xffff), "contexts"},
		"contexts outside":            {commandNegotiate, put32(body+60, 0xfffffff8), "contexts"},
		"contexts in the header":      {commandNegotiate, put32(body+60, 8), "contexts"},
		"a context outside":           {commandNegotiate, put16(body+64+2, 0xffff), "context"},
		"a challenge outside":         {commandSessionSetup, put32(body+4, 0xffff_ffff), "outside"},
		"a challenge in the header":   {commandSessionSetup, put16(body+4, 8), "outside"},
		"no challenge":                {commandSessionSetup, put32(body+4, 0), "no SPNEGO"},
		"a challenge of another kind": {commandSessionSetup, func(m []byte) []byte { m[body+8] = 0xa0; return m }, "no SPNEGO"},

		"nothing out of the pipe":     {commandIoctl, put32(body+36, 0), "0 bytes"},
		"too much out of the pipe":    {commandIoctl, put32(body+36, 4281), "4281 bytes"},
		"output outside":              {commandIoctl, put32(body+32, 0xffffffff), "outside"},
		"output in the header":        {commandIoctl, put32(body+32, 0), "outside"},
		"another RPC":                 {commandIoctl, put16(rpc, 4), "RPC"},
		"a big-endian RPC":            {commandIoctl, put32(rpc+4, 0), "RPC"},
		"an RPC PDU of all types":     {commandIoctl, put16(rpc+2, 0x0305), "type 5"},
		"an RPC PDU in the middle":    {commandIoctl, put16(rpc+2, 0x020c), "bind"},
		"a longer RPC PDU":            {commandIoctl, put16(rpc+8, 0xffff), "length"},
		"a signed RPC PDU":            {commandIoctl, put16(rpc+10, 16), "length"},
		"an RPC PDU of another call":  {commandIoctl, put32(rpc+12, 77), "another call"},
		"an address outside":          {commandIoctl, put16(rpc+24, 0xffff), "bind_ack"},
		"a fragment for ever":         {commandRead, put32(body+4, 1), "part of"},
		"nothing more":                {commandRead, put32(body+4, 0), "0 bytes"},
		"more than asked":             {commandRead, put32(body+4, 5000), "5000 bytes"},
		"data in the header":          {commandRead, func(m []byte) []byte { m[body+2] = 8; return m }, "outside"},
		"a number of shares and more": {commandRead, func(m []byte) []byte { return append(m, make([]byte, 64<<10)...) }, "begins no reply"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(fakesmb.Visit{Shares: fakeShares(longList(30, 20)), Fragment: 400, Part: 100})
			done := false
			r := visitServer("3.1.1", func(request []byte) (stream []byte) {
				messages := server.answer(request)
				if m := &messages[0]; le.Uint16(request[12:]) == c.command && !done {
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
