package smb

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// heard adds each whole message that servers said in the transcripts.
func heard(f *testing.F) {
	f.Helper()
	paths, err := filepath.Glob("testdata/transcripts/*.txt")
	require.NoError(f, err)
	require.NotEmpty(f, paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		rec, err := replay.Parse(text)
		require.NoError(f, err)
		whole := map[int][]byte{}
		for _, e := range rec.Transcript {
			if e.Dir == probe.DirRecv {
				whole[e.Conn] = append(whole[e.Conn], e.Data...)
			}
		}
		for _, b := range whole {
			for len(b) > frameSize {
				size := min(int(b[1])<<16|int(b[2])<<8|int(b[3]), len(b)-frameSize)
				if b[0] == 0 {
					f.Add(b[frameSize : frameSize+size])
				}
				b = b[frameSize+size:]
			}
		}
	}
}

// FuzzReply gives any message to each parser of replies, and what comes of it to the evidence, which must survive JSON.
func FuzzReply(f *testing.F) {
	heard(f)
	f.Add(fakesmb.ShareList([]fakesmb.Share{{Name: "public", Comment: "For everybody"}, {Name: "IPC$", Type: fakesmb.IPC}}, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		e := new(Evidence)
		a := answer{}
		a.reply, a.err = parseNegotiate(b)
		require.True(t, a.reply != nil || a.err != nil)
		if a.reply != nil {
			a.mechanisms, _ = parseMechanisms(a.reply.token)
		}
		a.setup, _ = parseSessionSetup(b)
		if a.setup != nil {
			_ = a.readChallenge()
		}
		e.preferred(a)
		if a.reply != nil {
			e.alone(a.reply.dialect, a)
		}
		e.algorithms(everything, a)

		one := answer{}
		one.smb1, one.err = parseNegotiate1(b, smb1Dialects)
		one.setup, _ = parseSessionSetup1(b)
		if one.setup != nil {
			_ = one.readChallenge()
		}
		e.smb1(one)
		e.smb1Detail(one)
		e.conclude()

		if p, err := parsePDU(b, 2); err == nil {
			_, _ = p.accepts()
			_, _ = p.part(true)
		}
		shares, result, err := parseShares(b)
		require.Equal(t, err == nil && result == 0, shares != nil)

		text, err := json.Marshal(e)
		require.NoError(t, err)
		again := new(Evidence)
		require.NoError(t, json.Unmarshal(text, again))
		require.Equal(t, e, again)
		for _, r := range Rules {
			_ = r.Check(&probe.Result{Protocol: protocol, Evidence: e})
		}
	})
}

// FuzzToken gives any token to the readers of SPNEGO.
func FuzzToken(f *testing.F) {
	f.Add(ntlmToken([]byte("NTLMSSP\x00")))
	f.Add([]byte("\xa1\x0e\x30\x0c\xa0\x03\x0a\x01\x01\xa2\x05\x04\x03abc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _ := parseMechanisms(b)
		require.LessOrEqual(t, len(list), maxMechanisms)
		require.NotNil(t, list)
		message, err := challengeOf(b)
		require.True(t, err != nil || len(message) > 0)
	})
}

// What FuzzAnonymous asks for holds of SMB1 as well: one answer is cut, and bytes of it are replaced, three for each.
func FuzzAnonymous1(f *testing.F) {
	for at := range byte(14) {
		f.Add(at, uint16(0xffff), []byte{0, 5, 0})
		f.Add(at, uint16(40), []byte{})
		f.Add(at, uint16(0xffff), []byte{0, 32, 255, 0, 45, 255})
		f.Add(at|64, uint16(0xffff), []byte{0, 45, 255, 0, 60, 255})
	}
	f.Fuzz(func(t *testing.T, at byte, cut uint16, changes []byte) {
		before, n := runtime.NumGoroutine(), byte(0)
		server := fakesmb.Server{
			SMB1: []string{dialectNTLM012}, Security: 7, Old: at >= 128, Token: fakesmb.Mechanisms(fakesmb.NTLM),
			Visit: &fakesmb.Visit{Shares: fakeShares(longList(20, 10)), Fragment: 300, Part: 100},
		}
		if at&64 != 0 { // the list by RAP
			server.Visit.RefuseBind = true
		}
		server.Mangle = func(m []byte) []byte {
			if n++; n-1 == at&63 {
				m = bytes.Clone(m[:min(len(m), int(cut))])
				for c := changes; len(c) >= 3 && len(m) > 0; c = c[3:] {
					m[(int(c[0])<<8|int(c[1]))%len(m)] = c[2]
				}
			}
			return m
		}
		near, far := net.Pipe()
		served := make(chan bool)
		go func() { server.Handle(far); _ = far.Close(); close(served) }()
		r := probe.Run(t.Context(), visitor{dialectNTLM012}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
			Level: probe.LevelAnonymous, Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil },
			Limits: probe.Limits{Idle: 100 * time.Millisecond},
		})
		<-served
		switch r.Outcome {
		case probe.OutcomeInternal, probe.OutcomeForbidden, probe.OutcomeCanceled:
			t.Fatalf("%s: %v", r.Outcome, r.Err)
		}
		storable(t, r)
		settle(t, before)
	})
}
