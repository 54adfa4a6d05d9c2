package ftp

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var target = probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:21")}

// converse is an anonymous conversation up to the point where a listing begins; mlst says what FEAT answers.
func converse(t *testing.T, feat string, rest ...probe.Event) probe.Transcript {
	t.Helper()
	talk := []string{"", "220 hello", "FEAT", feat, "SYST", "502 no", "AUTH TLS", "502 no", "AUTH SSL", "502 no",
		"USER handclasp-no-such-user", "331 password?", userAnonymous, "230 hello", "PWD", `257 "/"`, "FEAT", feat, "PASV", "227 (192,0,2,7,195,80)"}
	if strings.HasPrefix(feat, "211") {
		talk = slices.Delete(talk, len(talk)-4, len(talk)-2)
	}
	tr := probe.Transcript{{Conn: 1, Dir: probe.DirOpen, Data: []byte("192.0.2.7:21")}}
	for i := 0; i < len(talk); i += 2 {
		if talk[i] != "" {
			tr = append(tr, probe.Event{Conn: 1, Dir: probe.DirSend, Data: []byte(talk[i] + "\r\n")})
		}
		tr = append(tr, probe.Event{Conn: 1, Dir: probe.DirRecv, Data: []byte(talk[i+1] + "\r\n")})
	}
	return append(append(tr, probe.Event{Conn: 2, Dir: probe.DirOpen, Data: []byte("192.0.2.7:50000")}), rest...)
}

func said(conn int, dir probe.Dir, text string) probe.Event {
	return probe.Event{Conn: conn, Dir: dir, Data: []byte(text)}
}

// Listings are cut at so many entries, and by limits, and say so.
func TestLongListings(t *testing.T) {
	var machines, people bytes.Buffer
	for i := range 3 * maxEntries {
		fmt.Fprintf(&machines, "type=file; %d\r\n", i)
		fmt.Fprintf(&people, "-rw-r--r-- 1 0 0 7 Jan  2 2019 %d\r\n", i)
	}
	quit := []probe.Event{said(1, probe.DirSend, "QUIT\r\n"), said(1, probe.DirRecv, "221 bye\r\n")}
	for name, c := range map[string]struct {
		transcript probe.Transcript
		limits     probe.Limits
		entries    int
		outcome    probe.Outcome
	}{
		"MLSD": {
			transcript: converse(t, "211-a\r\n MLST\r\n211 b", append([]probe.Event{
				said(1, probe.DirSend, "MLSD\r\n"), said(1, probe.DirRecv, "150 here\r\n"), said(2, probe.DirRecv, machines.String()),
				said(1, probe.DirRecv, "426 you went away\r\n")}, quit...)...),
			entries: maxEntries, outcome: probe.OutcomeOK,
		},
		"LIST": {
			transcript: converse(t, "502 no", append([]probe.Event{
				said(1, probe.DirSend, "LIST\r\n"), said(1, probe.DirRecv, "150 here\r\n"), said(2, probe.DirRecv, people.String()),
				said(1, probe.DirRecv, "226 done\r\n")}, quit...)...),
			entries: maxEntries, outcome: probe.OutcomeOK,
		},
		"MLSD, limit": {
			transcript: converse(t, "211-a\r\n MLST\r\n211 b",
				said(1, probe.DirSend, "MLSD\r\n"), said(1, probe.DirRecv, "150 here\r\n"), said(2, probe.DirRecv, machines.String())),
			limits: probe.Limits{BytesIn: 1000}, entries: -1, outcome: probe.OutcomeLimit,
		},
		"LIST, limit": {
			transcript: converse(t, "502 no",
				said(1, probe.DirSend, "LIST\r\n"), said(1, probe.DirRecv, "150 here\r\n"), said(2, probe.DirRecv, people.String())),
			limits: probe.Limits{BytesIn: 1000}, entries: -1, outcome: probe.OutcomeLimit,
		},
	} {
		t.Run(name, func(t *testing.T) {
			player := replay.NewPlayer(c.transcript)
			r := probe.Run(context.Background(), Prober{}, target, &probe.Options{Level: probe.LevelAnonymous, Dial: player.Dial, Limits: c.limits})
			require.Equal(t, c.outcome, r.Outcome, "%v", r.Err)
			requireLasting(t, r)
			e, _ := probe.As[*Evidence](r)
			require.True(t, e.Anonymous.Listing.Truncated)
			if c.entries < 0 {
				require.NotEmpty(t, e.Anonymous.Listing.Entries)
				require.NotEmpty(t, e.Anonymous.ListingError)
				return
			}
			require.Len(t, e.Anonymous.Listing.Entries, c.entries)
			require.NoError(t, player.Err())
		})
	}
}
