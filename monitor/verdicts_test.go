package monitor_test

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/monitor"
	"github.com/handclasp/handclasp/probe"
)

// told applies a scan and says what is told, without the scan's own event, and the scan.
func told(t testing.TB, s *monitor.State, entries func(func(finding.Entry) bool), o *monitor.ApplyOptions) (list []string, scan monitor.Scan) {
	t.Helper()
	scan, err := s.Apply(t.Context(), entries, o)
	require.NoError(t, err)
	for _, e := range undelivered(t, s) {
		if e.Kind != "scan" {
			list = append(list, inShort(e))
		}
	}
	slices.Sort(list)
	return list, scan
}

// undelivered takes the events that nobody took yet.
func undelivered(t testing.TB, s *monitor.State) (events []monitor.Event) {
	t.Helper()
	for e, err := range s.Events(t.Context(), 0) {
		require.NoError(t, err)
		require.NoError(t, s.Ack(t.Context(), e.ID))
		events = append(events, e)
	}
	return events
}

// inShort says an event as "new 192.0.2.1:21 ftp.anonymous +item".
func inShort(e monitor.Event) string {
	text := e.Kind
	if e.Endpoint != (finding.Endpoint{}) {
		text += " " + e.Endpoint.String()
	}
	switch {
	case e.Change != nil:
		text += " " + e.Change.Finding.ID
		if e.Change.Was != 0 {
			text += fmt.Sprintf(" %v→%v", e.Change.Was, e.Change.Finding.Severity)
		}
		for _, i := range e.Change.Added {
			text += " +" + i.Value
		}
		for _, i := range e.Change.Removed {
			text += " -" + i.Value
		}
	case e.Note != nil:
		text = strings.TrimSpace(text + " " + e.Note.Group + e.Note.Fact)
	}
	return text
}

// Each of these was told wrongly once.
func TestVerdictsThatWereWrong(t *testing.T) {
	const ftp, rsync, sshd = "192.0.2.1:21", "192.0.2.2:873", "192.0.2.3:22"
	// a night changes the street, and says what is told then.
	type night struct {
		change func(s *street)
		how    *how // nil for what is usual
		told   []string
		worst  finding.Severity
		ask    []string // in place of the case's targets
	}
	turn := func(at string, f func(*server)) func(*street) {
		return func(s *street) { f(s.servers[netip.MustParseAddrPort(at)]) }
	}
	named := func(addr string) func(*street) {
		return func(s *street) {
			a := netip.MustParseAddr(addr)
			s.names["files.example.net"] = []netip.Addr{a}
			if s.servers[netip.AddrPortFrom(a, 21)] == nil {
				s.put(addr+":21", server{kind: "ftp", banner: "(vsFTPd 3.0.5)", anon: true})
			}
		}
	}
	down := func(err error) func(*street) { return func(s *street) { s.down = err } }
	four := func(s *street) {
		for i := range 4 {
			s.put(fmt.Sprintf("198.51.100.%d:22", i+1), server{kind: "ssh", key: 7})
		}
	}
	all := []string{"ftp://192.0.2.1", "rsync://192.0.2.2", "ssh://192.0.2.3"}
	shared := []string{"ssh://198.51.100.1", "ssh://198.51.100.2", "ssh://198.51.100.3", "ssh://198.51.100.4"}
	blind := []string{"blind 198.51.100.0/24", "blind all"}
	fewer := slices.DeleteFunc(handclasp.Rules(), func(r finding.Rule) bool { return r.ID == "ftp.anonymous" })
	for name, c := range map[string]struct {
		targets []string
		begin   func(*street) // before the first night, of which nothing is looked at
		first   *how          // nil for what is usual
		nights  []night
	}{
		"busy, and back": {all, nil, nil, []night{{change: turn(ftp, func(s *server) { s.busy = true })}, {change: turn(ftp, func(s *server) { s.busy = false })}}},
		"the data port refuses, and then doesn't": {all, nil, nil, []night{{change: turn(ftp, func(s *server) { s.nodata = true })}, {change: turn(ftp, func(s *server) { s.nodata = false })}}},
		"slow, and then not":                      {all, nil, nil, []night{{change: turn(ftp, func(s *server) { s.slow = true })}, {change: turn(ftp, func(s *server) { s.slow = false })}}},
		"nothing, thrice":                         {all, nil, nil, []night{{}, {}, {}}},
		"one key on four hosts, in any order":     {shared, four, nil, []night{{}, {ask: []string{shared[2], shared[0], shared[3], shared[1]}}, {}}},
		"two modules more": {all, nil, nil, []night{{
			change: turn(rsync, func(s *server) { s.modules = map[string]bool{"pub": true, "payroll": true, "hr": true} }), worst: finding.High,
			told: []string{"changed " + rsync + " rsync.module-list +hr", "changed " + rsync + " rsync.module-open +hr +payroll"}}}},
		"a replaced host key":    {all, nil, nil, []night{{change: turn(sshd, func(s *server) { s.key = 2 }), told: []string{"fact " + sshd + " ssh:/evidence/host_keys/ssh-ed25519/sha256"}}}},
		"a downgrade":            {all, nil, nil, []night{{change: turn(ftp, func(s *server) { s.banner = "(vsFTPd 2.3.4)" }), told: []string{"fact " + ftp + " ftp:/software"}}}},
		"no network":             {shared, four, nil, []night{{change: down(os.ErrDeadlineExceeded), told: blind}, {change: down(nil)}}},
		"a firewall that resets": {shared, four, nil, []night{{change: down(syscall.ECONNREFUSED), told: blind}, {change: down(nil)}}},
		"FTP on 2121 that closes": {[]string{"192.0.2.9:2121"}, func(s *street) { s.put("192.0.2.9:2121", server{kind: "ftp", banner: "hello FTP"}) }, nil, []night{
			{change: turn("192.0.2.9:2121", func(s *server) { s.gone = true }), told: []string{"resolved 192.0.2.9:2121 ftp.cleartext-login",
				"resolved 192.0.2.9:2121 ftp.exposed", "resolved 192.0.2.9:2121 ftp.tls-missing", "resolved 192.0.2.9:2121 net.odd-port"}}}},
		"FTP that became an SSH that hangs up": {[]string{"192.0.2.9:2121"}, func(s *street) { s.put("192.0.2.9:2121", server{kind: "ftp", banner: "hello FTP"}) }, nil, []night{
			{change: turn("192.0.2.9:2121", func(s *server) { *s = server{kind: "raw", banner: "SSH-2.0-OpenSSH_9.2p1\r\n"} }), told: []string{
				"fact 192.0.2.9:2121 /protocol", "new 192.0.2.9:2121 ssh.exposed", "resolved 192.0.2.9:2121 ftp.cleartext-login",
				"resolved 192.0.2.9:2121 ftp.exposed", "resolved 192.0.2.9:2121 ftp.tls-missing"}, worst: finding.Low}}},
		"FTP that became an rsync, asked as FTP": {[]string{"ftp://192.0.2.1"}, nil, nil, []night{
			{change: turn(ftp, func(s *server) { *s = server{kind: "raw", banner: "@RSYNCD: 31.0\n"} }), told: []string{
				"fact 192.0.2.1:21 /protocol", "resolved 192.0.2.1:21 ftp.anonymous", "resolved 192.0.2.1:21 ftp.anonymous-listing",
				"resolved 192.0.2.1:21 ftp.cleartext-login", "resolved 192.0.2.1:21 ftp.exposed", "resolved 192.0.2.1:21 ftp.tls-missing"}}}},
		"a name that moves": {[]string{"ftp://files.example.net"}, named("192.0.2.20"), nil, []night{{change: named("192.0.2.21"),
			told: []string{"moved files.example.net:21 /target/addr"}}, {}}},
		"by name, and then by address": {[]string{"ftp://files.example.net"}, named("192.0.2.20"), nil, []night{
			{ask: []string{"ftp://192.0.2.20"}, told: []string{"renamed files.example.net:21"}}}},
		"a name without an address": {[]string{"ftp://files.example.net"}, named("192.0.2.20"), nil, []night{
			{change: func(s *street) { delete(s.names, "files.example.net") }}, {change: named("192.0.2.20")}}},
		"a deeper level":        {all, nil, &how{level: probe.LevelGreeting}, []night{{told: []string{"cause level"}}, {}}},
		"less, and then deeper": {all, nil, nil, []night{{how: &how{level: probe.LevelGreeting}}, {}}},
		"stored by fewer rules": {all, nil, nil, []night{{how: &how{rules: fewer, level: probe.LevelAnonymous}}, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreet()
			s.put(ftp, server{kind: "ftp", banner: "(vsFTPd 2.3.5)", anon: true})
			s.put(rsync, server{kind: "rsync", modules: map[string]bool{"pub": true, "payroll": false}})
			s.put(sshd, server{kind: "ssh", key: 1})
			state := open(t, &monitor.Options{Rules: handclasp.Rules(), Comparisons: handclasp.Comparisons(), Confirm: finding.Confirmation{Gone: 1}})
			for n, night := range append([]night{{change: c.begin, how: c.first}}, c.nights...) {
				if night.change != nil {
					night.change(s)
				}
				asked := how{level: probe.LevelAnonymous}
				if night.how != nil {
					asked = *night.how
				}
				ask := c.targets
				if night.ask != nil {
					ask = night.ask
				}
				got, scan := told(t, state, s.scan(t, n, asked, ask...), nil)
				if n == 0 {
					continue // all that is there is new
				}
				require.Equal(t, night.told, got, "night %d", n)
				require.Equal(t, night.worst, scan.Worst, "night %d", n)
			}
		})
	}
}
