package rsync

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
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

func TestRules(t *testing.T) {
	listed := Module{Name: "pub", Listed: probe.Yes}
	open := Module{Name: "pub", Access: AccessOpen, Reply: lineOK}
	unknown := absent("@ERROR: Unknown module 'handclasp.abcdefghijklmnop'")
	type cases struct {
		fires, not, unknown []func(*Evidence)
		known               finding.Known
	}
	for id, c := range map[string]cases{
		"rsync.exposed": {
			fires:   []func(*Evidence){greeted("@RSYNCD: 31.0"), greeted("@RSYNCD: 29")},
			not:     []func(*Evidence){greeted("220 hello"), greeted("@ERROR: access denied"), greeted("@RSYNCD: x")},
			unknown: []func(*Evidence){func(*Evidence) {}},
			known:   finding.Seen,
		},
		"rsync.module-list": {
			fires: []func(*Evidence){
				has(listed), has(listed, open), has(listed, Module{Name: "x", Listed: probe.Yes}),
				func(e *Evidence) { has(listed, listed)(e); e.ModulesTruncated = true },
			},
			not:     []func(*Evidence){func(e *Evidence) { e.Listing = probe.Yes }, func(e *Evidence) { e.Listing = probe.No }, has(Module{Name: "x", Listed: probe.No})},
			unknown: []func(*Evidence){func(*Evidence) {}, has(Module{Name: "x"})},
			known:   finding.Seen,
		},
		"rsync.module-open": {
			fires: []func(*Evidence){has(open), has(listed, open), func(e *Evidence) { has(open)(e); unknown(e) }, has(slices.Repeat([]Module{open}, 50)...)},
			not: []func(*Evidence){
				has(Module{Name: "x", Access: AccessAuth, Reply: "@RSYNCD: AUTHREQD x"}), has(Module{Name: "x", Access: AccessDenied}),
				has(Module{Name: "x", Access: AccessBusy}), has(Module{Name: "x", Access: AccessUnknown}), has(Module{Name: "x", Access: AccessFailed}),
				func(e *Evidence) { has(open)(e); absent(lineOK)(e) }, // its word means nothing
			},
			unknown: []func(*Evidence){func(*Evidence) {}, has(listed)},
			known:   finding.Seen,
		},
		"rsync.weak-auth-digest": {
			fires: []func(*Evidence){
				greeted("@RSYNCD: 29"), greeted("@RSYNCD: 30.0"), greeted("@RSYNCD: 31.0"), greeted("@RSYNCD: 31.0 md5 md4"), greeted("@RSYNCD: 32.0 sha1 md5"),
			},
			not:     []func(*Evidence){greeted("@RSYNCD: 32.0 sha512 md4"), greeted("@RSYNCD: 31.0 md5 sha256")},
			unknown: []func(*Evidence){func(*Evidence) {}, greeted("220 hello")},
			known:   finding.Seen,
		},
		"rsync.outdated": {
			fires: []func(*Evidence){
				greeted("@RSYNCD: 31.0"), greeted("@RSYNCD: 31.0 md5 md4"), greeted("@RSYNCD: 31.0", unknown), greeted("@RSYNCD: 30.0", unknown),
				greeted("@RSYNCD: 29", unknown), greeted("@RSYNCD: 27", unknown),
			},
			not: []func(*Evidence){
				greeted("@RSYNCD: 32.0 sha512 md5"), greeted("@RSYNCD: 32.0 sha512 md5", unknown), greeted("@RSYNCD: 33.0 sha512"),
				greeted("@RSYNCD: 27", absent(`@ERROR: Unknown module "handclasp.abcdefghijklmnop"`)), greeted("@RSYNCD: 31.0", absent(lineOK)),
			},
			unknown: []func(*Evidence){func(*Evidence) {}, greeted("220 hello"), greeted("@RSYNCD: 27"), greeted("@RSYNCD: 3")},
			known:   finding.Inferred,
		},
	} {
		t.Run(id, func(t *testing.T) {
			i := slices.IndexFunc(Rules, func(r finding.Rule) bool { return r.ID == id })
			require.GreaterOrEqual(t, i, 0)
			rule := Rules[i]
			for n, change := range c.fires {
				r := result(change)
				found := finding.Evaluate(r, []finding.Rule{rule})
				require.Len(t, found, 1, "fires, case %d", n)
				require.Equal(t, c.known, found[0].Known)
				require.Less(t, len(found[0].Detail), 100)
				document, err := json.Marshal(r)
				require.NoError(t, err)
				require.NotEmpty(t, found[0].Basis)
				for _, pointer := range found[0].Basis {
					value, err := finding.Resolve(document, pointer)
					require.NoError(t, err)
					require.NotContains(t, []string{"null", `""`, "[]", "0"}, string(value), pointer)
				}
			}
			for n, change := range append(c.not, c.unknown...) {
				require.Nil(t, rule.Check(result(change)).Proof(), "doesn't fire, case %d", n)
			}
			require.Nil(t, rule.Check(&probe.Result{Protocol: protocol}).Proof(), "no evidence")
		})
	}
}

func result(change func(*Evidence)) *probe.Result {
	e := newEvidence()
	change(e)
	return &probe.Result{Protocol: protocol, Outcome: probe.OutcomeOK, Evidence: e}
}

// The details name what a reader acts on.
func TestDetails(t *testing.T) {
	for line, want := range map[string]string{
		"@RSYNCD: 29":           "rsync older than 3.0: CVE-2024-12085",
		"@RSYNCD: 30.0":         "rsync 3.0: CVE-2024-12085",
		"@RSYNCD: 31.0":         "rsync 3.1.0 to 3.2.6: CVE-2024-12085",
		"@RSYNCD: 31.0 md5 md4": "rsync 3.1.0 to 3.3.0: CVE-2024-12085",

		"@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4": "rsync 3.2.7 or 3.3.0: CVE-2024-12084, CVE-2024-12085",
	} {
		e := newEvidence()
		e.greet(line, false)
		require.Equal(t, want, outdated(e).Proof().Detail)
	}
	e := newEvidence()
	has(Module{Name: "pub", Listed: probe.Yes, Access: AccessOpen}, Module{Name: "x\ty", Access: AccessOpen})(e)
	require.Equal(t, "pub, x\ty", moduleOpen(e).Proof().Detail)
	require.Equal(t, "1 module", moduleList(e).Proof().Detail)
	greeted("@RSYNCD: 29")(e)
	require.Equal(t, "MD4", weakDigest(e).Proof().Detail)
	greeted("@RSYNCD: 31.0")(e)
	require.Equal(t, "MD5", weakDigest(e).Proof().Detail)
}

func TestRulesAreComplete(t *testing.T) {
	ids := map[string]finding.Severity{}
	for _, r := range Rules {
		ids[r.ID] = r.Severity
		require.NotEmpty(t, r.Title)
		require.NotEmpty(t, r.Summary)
		require.NotEmpty(t, r.Remediation)
		require.NotEmpty(t, r.References)
		require.Len(t, r.CWE, 1)
	}
	require.Equal(t, map[string]finding.Severity{
		"rsync.exposed": finding.Medium, "rsync.module-list": finding.Low, "rsync.module-open": finding.High,
		"rsync.weak-auth-digest": finding.Low, "rsync.outdated": finding.High,
	}, ids)
}
