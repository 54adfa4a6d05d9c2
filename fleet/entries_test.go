package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/digest"
)

// What a scan is judged by its header tells, so that findings which another scan couldn't have aren't taken for mended.
func TestHeadersTellWhatJudges(t *testing.T) {
	of := func(by Judging) finding.Digests {
		s := small()
		s.ID, s.Version, s.Judging = "x", "v1", by
		lines, err := s.Headers()
		require.NoError(t, err)
		require.Len(t, lines, 1)
		e, err := finding.DecodeEntry(lines[0])
		require.NoError(t, err)
		return e.Header.Digests
	}
	plain := of(Judging{})
	require.Equal(t, finding.Digests{Rules: digest.Rules(handclasp.Rules(), handclasp.Comparisons()), Fingerprints: digest.Of("v1", "")}, plain)
	differ := func(by Judging, change func(d *finding.Digests)) {
		t.Helper()
		want, is := plain, of(by)
		require.NotEqual(t, want, is)
		change(&is)
		require.Equal(t, want, is)
	}
	differ(Judging{Advisories: "a"}, func(d *finding.Digests) { d.Advisories = "" })
	differ(Judging{LifeCycle: "a"}, func(d *finding.Digests) { d.Advisories = "" })
	differ(Judging{Recog: "a"}, func(d *finding.Digests) { d.Fingerprints = plain.Fingerprints })
	differ(Judging{Profile: "internal"}, func(d *finding.Digests) { d.Profile = "" })
	differ(Judging{Without: []string{"ftp"}}, func(d *finding.Digests) { d.Rules = plain.Rules })
	differ(Judging{Policies: finding.Policies()[:1]}, func(d *finding.Digests) { d.Policy, d.Rules = "", plain.Rules })
}
