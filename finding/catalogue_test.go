package finding

import (
	"regexp"
	"testing"

	gocvss40 "github.com/pandatix/go-cvss/40"
	"github.com/stretchr/testify/require"
)

// Scores are what the vectors score, and names have the form that their owners give them.
func TestCatalogueIsConsistent(t *testing.T) {
	for id, a := range catalogue {
		v, err := gocvss40.ParseVector(a.vector)
		require.NoError(t, err, id)
		require.InDelta(t, v.Score(), a.score, 0.001, "%s: %s", id, a.vector)
		require.NotEmpty(t, a.techniques, id)
		for _, technique := range a.techniques {
			require.Regexp(t, regexp.MustCompile(`^T1\d{3}(\.\d{3})?$`), technique, id)
		}
		require.NotEmpty(t, a.controls, id)
	}
}

func TestDescribedKeepsWhatARuleSays(t *testing.T) {
	own := Rule{ID: "ftp.exposed", CVSS: harmless, Techniques: []string{"T1595"}}
	rules := []Rule{own, {ID: "ftp.exposed"}, {ID: "acme.rule"}}
	described := Described(rules)
	require.Equal(t, harmless, described[0].CVSS)
	require.Zero(t, described[0].Score)
	require.Equal(t, []string{"T1595"}, described[0].Techniques)
	require.Equal(t, surface, described[1].CVSS)
	require.Positive(t, described[1].Score)
	require.Empty(t, described[2].CVSS)
	require.Empty(t, rules[1].CVSS, "the caller's slice stays")
}
