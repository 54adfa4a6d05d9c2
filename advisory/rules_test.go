package advisory_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
	"github.com/handclasp/handclasp/ssh"
)

// result is one of a server that names the software, today.
func result(e probe.Evidence, software ...probe.Software) *probe.Result {
	return &probe.Result{
		Protocol: e.Protocol(), Target: probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:22")}, Started: now,
		Outcome: probe.OutcomeOK, Evidence: e, Software: software,
	}
}

// TestRules: a finding has what an alert needs, and points at the software in the stored result.
func TestRules(t *testing.T) {
	j := advisory.Judge{Index: build(t,
		record("DEBIAN-CVE-2030-0001", upTo("Debian:11", "openssh", "1:8.4p1-5+deb11u9")),
		record("DEBIAN-CVE-2030-0002", upTo("Debian:11", "openssh", "")), []byte(kev), []byte(epss))}
	r := result(&ssh.Evidence{},
		probe.Software{Product: "OpenSSH", Version: "8.4p1", Distribution: "Debian", PackageRevision: "5+deb11u3"}, is("Debian Linux", "11"))
	found := j.Findings(r)
	require.Len(t, found, 2)
	f := found[0]
	assert.Equal(t, "software.vulnerable", f.ID)
	assert.Equal(t, finding.High, f.Severity)
	assert.Equal(t, finding.Claimed, f.Known)
	assert.Equal(t, []string{"CVE-2030-0001", "CVE-2030-0002"}, f.CVE)
	assert.Equal(t, []finding.Item{{Value: "CVE-2030-0001", Basis: "/software/0/package_revision"}, {Value: "CVE-2030-0002", Basis: "/software/0/package_revision"}}, f.Items)
	assert.Equal(t, "CVE-2030-0001 and 1 more, exploited: in CISA's catalogue since 2026-11-02", f.Detail)
	assert.Equal(t, "2026-11-02", f.KEV)
	assert.InDelta(t, 0.94321, f.EPSS, 1e-9)
	assert.Contains(t, f.References, "https://security-tracker.debian.org/tracker/CVE-2030-0001")
	assert.Equal(t, &finding.Data{Digest: j.Index.Digest(), Date: j.Index.Date()}, f.Data)

	e := found[1]
	assert.Equal(t, "software.end-of-life", e.ID)
	assert.Equal(t, finding.Medium, e.Severity)
	assert.Equal(t, []finding.Item{{Value: "Debian Linux 11", Basis: "/software/1/version"}}, e.Items)
	assert.Equal(t, "built-in", e.Data.Digest)

	stored, err := json.Marshal(finding.Record{Result: r, Findings: found})
	require.NoError(t, err)
	for _, f := range found {
		for _, pointer := range f.Basis {
			_, err := finding.Resolve(stored, pointer)
			assert.NoError(t, err)
		}
	}
	var again finding.Record
	require.NoError(t, json.Unmarshal(stored, &again))
	assert.Equal(t, found, again.Findings, "as it was stored")
}

// TestRulesSayWhichDataWasLoaded: of verdicts that rest on files and on what is built in, the finding names the files.
func TestRulesSayWhichDataWasLoaded(t *testing.T) {
	l, err := advisory.LoadLifeCycle(fstest.MapFS{"proftpd.json": {ModTime: now, Data: []byte(`[{"cycle":"1.3","eol":"2026-01-01"}]`)}})
	require.NoError(t, err)
	for _, software := range [][]probe.Software{
		{{Product: "IIS", Version: "6.0"}, {Product: "ProFTPD", Version: "1.3.5"}}, {{Product: "ProFTPD", Version: "1.3.5"}, {Product: "IIS", Version: "6.0"}},
	} {
		found := (advisory.Judge{LifeCycle: l}).Rules()[0].Check(result(&ssh.Evidence{}, software...)).Proof()
		require.NotNil(t, found)
		require.Regexp(t, "^sha256:", found.Advice.Data.Digest)
		require.Equal(t, now, found.Advice.Data.Date)
	}
}

// TestRulesAnswer: a rule fires, or it isn't so, or the result doesn't tell.
func TestRulesAnswer(t *testing.T) {
	for _, test := range []struct {
		software              []probe.Software
		ended, vulnerable     bool
		endedTold, vulnerTold bool
	}{
		{nil, false, false, false, false},
		{[]probe.Software{{Product: "OpenSSH"}}, false, false, false, false},
		{[]probe.Software{{Product: "OpenSSH", Version: "10.2p1"}}, false, false, true, true},
		{[]probe.Software{{Product: "Exim", Version: "4.91"}}, true, true, true, true},
	} {
		for i, rule := range (advisory.Judge{}).Rules() {
			answer := rule.Check(result(&ssh.Evidence{}, test.software...))
			assert.Equal(t, []bool{test.ended, test.vulnerable}[i], answer.Proof() != nil, "%s: %v", rule.ID, test.software)
			assert.Equal(t, []bool{test.endedTold, test.vulnerTold}[i], answer.Learned(), "%s: %v", rule.ID, test.software)
		}
	}
}

// TestSMBGhostByEvidence: what the server offers decides with its build.
func TestSMBGhostByEvidence(t *testing.T) {
	windows := is("Windows 10 or Server 1909", "10.0.18363")
	for _, test := range []struct {
		compression []string
		want        bool
	}{{[]string{"LZNT1"}, true}, {[]string{}, false}, {nil, false}} {
		var ids []string
		for _, f := range (advisory.Judge{}).Findings(result(&smb.Evidence{Compression: test.compression}, windows)) {
			ids = append(ids, f.CVE...)
		}
		assert.Equal(t, test.want, len(ids) == 1, "%v: %v", test.compression, ids)
	}
}
