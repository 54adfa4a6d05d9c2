package handclasp_test

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// A fixture is a recorded conversation, and what was found in it.
type fixture struct {
	file   string
	prober probe.Prober
	*replay.Recording
	record finding.Record
}

// hold holds a conversation with the prober, as far as the transcript goes. What isn't sent as it was then is let pass, and what
// never comes isn't waited for.
func (f fixture) hold(tr probe.Transcript) finding.Record {
	player := replay.NewPlayer(tr)
	player.Lenient = true
	return f.holdWith(player, probe.Limits{Idle: 10 * time.Millisecond, Total: 2 * time.Second, Dial: 50 * time.Millisecond})
}

// holdWhole holds it as it was recorded, however busy the machine is: a prober that reads in one goroutine and sends in another
// has its time.
func (f fixture) holdWhole() finding.Record {
	return f.holdWith(replay.NewPlayer(f.Transcript), probe.Limits{Idle: time.Minute, Total: time.Minute, Dial: time.Minute})
}

func (f fixture) holdWith(player *replay.Player, limits probe.Limits) finding.Record {
	// What was drawn then is drawn again; beyond it a constant does, since nobody checks.
	rand := append([]byte{}, randomOf(f.Transcript)...)
	r := probe.Run(context.Background(), f.prober, f.Target, &probe.Options{
		Level: f.Level, Dial: player.Dial, ImplicitTLS: f.ImplicitTLS, TLS: f.TLS, Rand: &endless{rand}, Limits: limits,
	})
	return finding.NewRecord(r, handclasp.Rules())
}

func randomOf(tr probe.Transcript) (b []byte) {
	for _, e := range tr {
		if e.Dir == probe.DirRand {
			b = append(b, e.Data...)
		}
	}
	return b
}

// endless gives bytes, and then more of them.
type endless struct{ b []byte }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.b)
	e.b = e.b[n:]
	for i := n; i < len(p); i++ {
		p[i] = 7
	}
	return len(p), nil
}

// recordings are all that were made, held anew, once for all tests.
var recordings = sync.OnceValues(func() (list []fixture, err error) {
	for _, p := range handclasp.Probers() {
		protocol := p.Spec().Protocol
		files, err := filepath.Glob(filepath.Join(protocol, "testdata", "transcripts", "*.txt"))
		demo, err2 := filepath.Glob(filepath.Join("internal", "demo", "recordings", "anonymous", "*.txt"))
		if err := cmp.Or(err, err2); err != nil {
			return nil, err
		}
		for _, file := range slices.Concat(files, demo) {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			rec, err := replay.Parse(text)
			if err != nil || strings.Contains(file, "demo") && !strings.Contains(filepath.Base(file), "-"+protocol+"-") {
				continue
			}
			f := fixture{file: file, prober: p, Recording: rec}
			f.record = f.holdWhole()
			list = append(list, f)
		}
	}
	return list, nil
})

// fixtures chooses recordings in which each rule fires, few of them: one for each rule.
func fixtures(t *testing.T) (list []fixture, lacking map[string]bool) {
	t.Helper()
	lacking = map[string]bool{}
	for _, r := range handclasp.Rules() {
		lacking[r.ID] = true
	}
	all, err := recordings()
	require.NoError(t, err)
	for _, f := range all {
		useful := false
		for _, found := range f.record.Findings {
			useful = useful || lacking[found.ID]
			delete(lacking, found.ID)
		}
		if useful {
			list = append(list, f)
		}
	}
	return list, lacking
}

// refusals are what servers say that won't talk now, at any time, and not to this client, at once.
var refusals = map[string]struct{ busy, denied string }{
	"ftp":   {"421 Too many connections, try again later.\r\n", "530 Not from your address.\r\n"},
	"smtp":  {"421 4.3.2 Too busy, try again later\r\n", "554 5.7.1 You aren't welcome\r\n"},
	"nntp":  {"400 load at 17.32, try later\r\n", "502 You have no permission to talk. Goodbye.\r\n"},
	"rsync": {"@ERROR: max connections (4) reached -- try again later\n", "@ERROR: access denied to pub from UNKNOWN (192.0.2.7)\n"},
}

// cuts are the ways in which a conversation may be lost at each of its turns.
func cuts(protocol string, tr probe.Transcript) (all []probe.Transcript) {
	greeted := map[int]bool{}
	for i, e := range tr {
		switch e.Dir {
		case probe.DirRecv, probe.DirTLS:
			said, known := refusals[protocol]
			if texts := []string{said.busy, said.denied}; known && e.Dir == probe.DirRecv && e.Conn == tr[0].Conn {
				if greeted[e.Conn] {
					texts = texts[:1] // behind a greeting the other one is an answer
				}
				for _, text := range texts {
					all = append(all, append(slices.Clone(tr[:i]), probe.Event{Conn: e.Conn, Dir: probe.DirRecv, Data: []byte(text)},
						probe.Event{Conn: e.Conn, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed}))
				}
			}
			if e.Dir == probe.DirRecv {
				for _, text := range []string{"Too many connections, try later\r\n", "Too many connections, try la"} { // no word of any protocol
					all = append(all, append(slices.Clone(tr[:i]), probe.Event{Conn: e.Conn, Dir: probe.DirRecv, Data: []byte(text)},
						probe.Event{Conn: e.Conn, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed}))
				}
			}
			greeted[e.Conn] = true
			for _, how := range []probe.Outcome{probe.OutcomeClosed, probe.OutcomeTimeout} {
				all = append(all, append(slices.Clone(tr[:i]), probe.Event{Conn: e.Conn, Dir: probe.DirEnd, Outcome: how}))
			}
		case probe.DirOpen: // the first connection, the data port, the second one
			for _, how := range []probe.Outcome{probe.OutcomeRefused, probe.OutcomeTimeout} {
				if i == 0 && how == probe.OutcomeRefused {
					continue // nobody is there any more
				}
				refused := e
				refused.Outcome = how
				all = append(all, append(slices.Clone(tr[:i]), refused))
			}
		}
	}
	return all
}

// unrecorded are rules that no recording of the packages can show: they need a knob, a login that wasn't recorded, encryption that
// isn't played, or a name and chain that only a handshake has. Their packages hold them by evidence.
var unrecorded = map[string]bool{
	"smb.guest": true, "ssh.weak-gex": true,
	"starttls.injection": true, "tls.cert-mismatch": true, "tls.weak-key": true, "tls.weak-signature": true,
	"tls.cert-expires-soon": true, "tls.cert-long-lived": true, "tls.cert-wildcard": true, "tls.cert-internal-names": true,
	"tls.sslv2": true, "tls.sslv3": true, "tls.export-suites": true, "tls.rc4": true,
	"tls.3des": true, "tls.compression": true,
	"tls.insecure-renegotiation": true, "key.weak": true,
}

// Wherever a conversation is lost, nothing that was found in the whole one counts as resolved.
func TestWhatWasLostIsNotResolved(t *testing.T) {
	list, lacking := fixtures(t)
	for id := range lacking {
		if !unrecorded[id] {
			t.Errorf("no recording has %s: add one, or say here why there is none", id)
		}
	}
	o := &finding.DiffOptions{Rules: handclasp.Rules()}
	for _, f := range list {
		t.Run(f.file, func(t *testing.T) {
			t.Parallel()
			all := cuts(f.record.Protocol, f.Transcript)
			results := make([]finding.Record, len(all))
			var waiting sync.WaitGroup // of which the most is idle
			for i, tr := range all {
				waiting.Go(func() { results[i] = f.hold(tr) })
			}
			waiting.Wait()
			for i, tr := range all {
				lost := results[i]
				for _, c := range finding.Diff(entries(f.record), entries(lost), o).Changes {
					require.NotEqual(t, finding.Resolved, c.Status, "%s, by a result that ended with %s, partial %v, behind %v", c.Finding.ID, lost.Outcome, lost.Partial, tr[max(0, len(tr)-2):])
				}
			}
		})
	}
}

func entries(r finding.Record) func(yield func(finding.Entry) bool) {
	return finding.Entries(slices.Values([]finding.Record{r}))
}
