package handclasp_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// whole reports whether a recording was held to its end.
func (f fixture) whole() bool {
	return f.record.Outcome == probe.OutcomeOK && len(f.record.Partial) == 0
}

// as returns the record as if it were of the other's endpoint.
func (f fixture) as(o fixture) finding.Record {
	r := *f.record.Result
	r.Target = o.record.Target
	return finding.NewRecord(&r, handclasp.Rules())
}

func found(r finding.Record, id string) *finding.Finding {
	if i := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.ID == id }); i >= 0 {
		return &r.Findings[i]
	}
	return nil
}

func change(d finding.Delta, id string) finding.Change {
	i := slices.IndexFunc(d.Changes, func(c finding.Change) bool { return c.Finding.ID == id })
	if i < 0 {
		return finding.Change{}
	}
	return d.Changes[i]
}

// Between any two recordings of a protocol, each rule that was learned in both tells what became of it: what isn't so any more is
// resolved, and what is about more or less is changed.
func TestWhatWasMendedIsResolved(t *testing.T) {
	all, err := recordings()
	require.NoError(t, err)
	all = slices.DeleteFunc(slices.Clone(all), func(f fixture) bool { return !f.whole() })
	mended, grown := map[string]bool{}, map[string]bool{}
	o := &finding.DiffOptions{Rules: handclasp.Rules(), Unchanged: true}
	for _, rule := range handclasp.Rules() {
		for _, a := range all {
			was := found(a.record, rule.ID)
			if was == nil || mended[rule.ID] && (grown[rule.ID] || len(was.Items) == 0) {
				continue
			}
			for _, b := range all {
				if a.record.Protocol != b.record.Protocol || b.Level < a.Level {
					continue
				}
				now := b.as(a)
				answer := rule.Check(now.Result)
				is := found(now, rule.ID)
				var want finding.Status
				switch {
				case is == nil && answer.Learned() && !mended[rule.ID]:
					want, mended[rule.ID] = finding.Resolved, true
				case is != nil && !slices.Equal(values(was.Items), values(is.Items)) && !grown[rule.ID]:
					want, grown[rule.ID] = finding.Changed, true
				default:
					continue
				}
				c := change(finding.Diff(entries(a.record), entries(now), o), rule.ID)
				require.Equal(t, want, c.Status, "%s: %s, then %s", rule.ID, a.file, b.file)
				if want == finding.Changed {
					require.NotEmpty(t, append(c.Added, c.Removed...), rule.ID)
				}
			}
		}
		if !mended[rule.ID] && !unrecorded[rule.ID] && !unmended[rule.ID] {
			t.Errorf("no recording shows %s mended: add one, or say here why there is none", rule.ID)
		}
		if mended[rule.ID] && (unmended[rule.ID] || unrecorded[rule.ID]) {
			t.Errorf("%s is recorded mended: take it off the list", rule.ID)
		}
	}
	require.NotEmpty(t, grown)
}

func values(items []finding.Item) (list []string) {
	for _, i := range items {
		list = append(list, i.Value)
	}
	slices.Sort(list)
	return list
}

// unmended are rules that no other recording of their protocol shows mended: it is mended by not being there, or by what the
// recordings of the packages don't have. Their packages hold them by evidence.
var unmended = map[string]bool{
	"ftp.exposed": true, "smtp.exposed": true, "nntp.exposed": true, "rsync.exposed": true, "netbios.exposed": true, "ssh.exposed": true, "net.odd-port": true,
	"ntlm.info": true,
}

// Another service that greets at a port mends what was there before; what is said in words that no protocol begins with doesn't.
func TestWhatAnotherServiceTookIsResolved(t *testing.T) {
	list, _ := fixtures(t)
	o := &finding.DiffOptions{Rules: handclasp.Rules()}
	for _, f := range list {
		if !slices.Contains([]string{"ftp", "smtp", "nntp", "rsync"}, f.record.Protocol) || f.ImplicitTLS == probe.Yes || f.Transcript[0].Dir != probe.DirOpen {
			continue // who speaks first, or inside TLS
		}
		for greeting, want := range map[string]finding.Status{
			"HTTP/1.1 503 Service Unavailable\r\n\r\n": finding.Resolved, "* OK IMAP4rev2 server ready\r\n": finding.Resolved, "+OK POP3 ready\r\n": finding.Resolved,
			"The server is full\r\n": finding.Unknown, "Sat Nov 28 02:00:01 2026 overloaded\r\n": finding.Unknown, "ERROR\r\n": finding.Unknown,
		} {
			now := f.hold(probe.Transcript{f.Transcript[0], {Conn: f.Transcript[0].Conn, Dir: probe.DirRecv, Data: []byte(greeting)},
				{Conn: f.Transcript[0].Conn, Dir: probe.DirEnd, Outcome: probe.OutcomeClosed}})
			d := finding.Diff(entries(f.record), entries(now), o)
			require.Len(t, d.Changes, len(f.record.Findings), f.file)
			for _, c := range d.Changes {
				if want == finding.Resolved && !strings.HasPrefix(c.Finding.ID, f.record.Protocol+".") {
					continue // the other service may have it as well, and wasn't asked
				}
				require.Equal(t, want, c.Status, "%s: %s, then %q", f.file, c.Finding.ID, greeting)
			}
		}
	}
}

// A port that is closed mends whatever was there.
func TestWhatIsClosedIsResolved(t *testing.T) {
	list, _ := fixtures(t)
	o := &finding.DiffOptions{Rules: handclasp.Rules()}
	for _, f := range list {
		closed := *f.record.Result
		closed.Outcome, closed.Partial, closed.Evidence, closed.Software = probe.OutcomeRefused, []string{"/evidence"}, nil, nil
		d := finding.Diff(entries(f.record), entries(finding.NewRecord(&closed, handclasp.Rules())), o)
		require.Len(t, d.Changes, len(f.record.Findings), f.file)
		for _, c := range d.Changes {
			require.Equal(t, finding.Resolved, c.Status, "%s: %s", f.file, c.Finding.ID)
		}
	}
}
