package rsync

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/probe"
)

// greeted changes evidence of a daemon that said the line.
func greeted(line string, change ...func(e *Evidence)) func(*Evidence) {
	return func(e *Evidence) {
		e.greet(line, false)
		for _, c := range change {
			c(e)
		}
	}
}

func absent(reply string) func(*Evidence) {
	return func(e *Evidence) { e.AbsentReply, e.AbsentAccess = reply, access(reply) }
}

func has(modules ...Module) func(*Evidence) {
	return func(e *Evidence) { e.Modules = modules }
}

// of makes evidence of changes, each on its own.
func of(changes ...func(*Evidence)) (list []*Evidence) {
	for _, c := range changes {
		e := new(Evidence)
		c(e)
		list = append(list, e)
	}
	return list
}

func TestRules(t *testing.T) {
	listed := Module{Name: "pub", Listed: probe.Yes}
	open := Module{Name: "pub", Access: AccessOpen, Reply: lineOK}
	unknown := absent("@ERROR: Unknown module 'handclasp.abcdefghijklmnop'")
	with := func(a Access) func(*Evidence) {
		return func(e *Evidence) { e.Listing, e.Modules = probe.Yes, []Module{{Name: "x", Access: a}} }
	}
	type c = findingtest.Case[*Evidence]
	fires := func(known finding.Known, detail string, items []string, changes ...func(*Evidence)) c {
		return c{Known: known, Detail: detail, Items: items, Fires: of(changes...)}
	}
	not := func(changes ...func(*Evidence)) c { return c{NotSo: of(changes...)} }
	blank := func(changes ...func(*Evidence)) c { return c{NotLearned: of(changes...)} }
	many := make([]Module, 50)
	for i := range many {
		many[i] = open
	}
	nothing := func(*Evidence) {}
	result := func(e *Evidence) *probe.Result {
		return &probe.Result{Protocol: protocol, Outcome: probe.OutcomeOK, Evidence: e}
	}
	findingtest.Rules(t, Rules[1:], result, map[string][]c{
		"rsync.module-list": {
			fires(finding.Seen, "1 module", []string{"pub"}, has(listed), has(listed, open)),
			fires(finding.Seen, "2 modules", []string{"pub", "x"}, has(listed, Module{Name: "x", Listed: probe.Yes})),
			fires(finding.Seen, "more than 2 modules", []string{"pub", "pub"}, func(e *Evidence) { has(listed, listed)(e); e.ModulesTruncated = true }),
			not(func(e *Evidence) { e.Listing = probe.Yes }, func(e *Evidence) { e.Listing = probe.No }, func(e *Evidence) { has(Module{Name: "x", Listed: probe.No})(e); e.Listing = probe.Yes }),
			blank(nothing, has(Module{Name: "x"})),
		},
		"rsync.module-open": {
			fires(finding.Seen, "pub", []string{"pub"}, has(open), has(listed, open), func(e *Evidence) { has(open)(e); unknown(e) }, has(many...)),
			not(with(AccessAuth), with(AccessDenied), with(AccessUnknown), func(e *Evidence) { e.Listing, e.Modules = probe.Yes, []Module{} }),
			blank(nothing, has(listed), with(AccessBusy), with(AccessFailed), func(e *Evidence) { has(open)(e); absent(lineOK)(e) }),
		},
		"rsync.weak-auth-digest": {
			fires(finding.Seen, "MD4", nil, greeted("@RSYNCD: 29")), fires(finding.Seen, "MD5", nil, greeted("@RSYNCD: 30.0"), greeted("@RSYNCD: 31.0")),
			fires(finding.Seen, "md5, md4", []string{"md5", "md4"}, greeted("@RSYNCD: 31.0 md5 md4")),
			fires(finding.Seen, "sha1, md5", []string{"sha1", "md5"}, greeted("@RSYNCD: 32.0 sha1 md5")),
			not(greeted("@RSYNCD: 32.0 sha512 md4"), greeted("@RSYNCD: 31.0 md5 sha256"), greeted("@RSYNCD: 33.0 blake3 sha512")),
			blank(nothing, greeted("220 hello")),
		},
		"rsync.outdated": {
			fires(finding.Inferred, "rsync 3.1.0 to 3.2.6: CVE-2024-12085", nil, greeted("@RSYNCD: 31.0"), greeted("@RSYNCD: 31.0", unknown)),
			fires(finding.Inferred, "rsync 3.1.0 to 3.3.0: CVE-2024-12085", nil, greeted("@RSYNCD: 31.0 md5 md4")),
			fires(finding.Inferred, "rsync 3.2.7 or 3.3.0: CVE-2024-12084, CVE-2024-12085", nil, greeted("@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4")),
			fires(finding.Inferred, "rsync 3.0: CVE-2024-12085", nil, greeted("@RSYNCD: 30.0", unknown)),
			fires(finding.Inferred, "rsync older than 3.0: CVE-2024-12085", nil, greeted("@RSYNCD: 29", unknown), greeted("@RSYNCD: 27", unknown)),
			not(
				greeted("@RSYNCD: 32.0 sha512 md5"), greeted("@RSYNCD: 32.0 sha512 md5", unknown), greeted("@RSYNCD: 33.0 sha512"), greeted("@RSYNCD: 3"),
				greeted("@RSYNCD: 27"), greeted("@RSYNCD: 27", absent(`@ERROR: Unknown module "handclasp.abcdefghijklmnop"`)), greeted("@RSYNCD: 31.0", absent(lineOK)),
			),
			blank(nothing, greeted("220 hello")),
		},
	})
}

// A daemon is there if it greets, or refuses in rsync's own words.
func TestExposed(t *testing.T) {
	refused := greeted("@ERROR: access denied", func(e *Evidence) { e.Error = e.Greeting })
	for _, e := range of(greeted("@RSYNCD: 31.0"), greeted("@RSYNCD: 29"), refused) {
		require.Equal(t, []string{"/evidence/greeting"}, exposed(e).Proof().Basis)
	}
	for _, e := range of(func(*Evidence) {}, greeted("220 hello"), greeted("@RSYNCD: x")) {
		require.Equal(t, finding.NotLearned(), exposed(e))
	}
}
