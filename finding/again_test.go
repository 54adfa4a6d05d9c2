package finding_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// What a second look doesn't confirm is neither new nor gone.
func TestSecondLook(t *testing.T) {
	const at = "192.0.2.7:7007 "
	silent := with(house("ajar"), func(r *probe.Result) {
		r.Outcome, r.Partial, r.Err, r.Evidence = probe.OutcomeTimeout, []string{"/evidence"}, probe.Errorf("dial", probe.OutcomeTimeout, "no"), &evidence{}
	})
	otherwise := ": a second look said otherwise"
	for name, c := range map[string]struct {
		before, first, second finding.Record
		want                  []string
	}{
		"new in both":         {house("shut"), house("ajar"), house("ajar"), []string{"new " + at + "test.open"}},
		"new in the first":    {house("shut"), house("ajar"), house("shut"), []string{}},
		"new in the second":   {house("shut"), house("shut"), house("ajar"), []string{}},
		"new, and then lost":  {house("shut"), house("ajar"), silent, []string{}},
		"new, and not asked":  {house("shut"), house("ajar"), finding.Record{}, []string{}},
		"gone in both":        {house("ajar"), house("shut"), house("shut"), []string{"resolved " + at + "test.open"}},
		"gone in the first":   {house("ajar"), house("shut"), house("ajar"), []string{}},
		"gone, and then lost": {house("ajar"), house("shut"), silent, []string{"unknown " + at + "test.open" + otherwise}},
		"grown in both":       {house("ajar", "oak"), house("ajar", "oak", "elm"), house("ajar", "oak", "elm"), []string{"changed " + at + "test.boards +elm"}},
		"grown in one":        {house("ajar", "oak"), house("ajar", "oak", "elm"), house("ajar", "oak"), []string{}},
		"shrunk in one":       {house("ajar", "oak", "elm"), house("ajar", "oak"), house("ajar", "oak", "elm"), []string{}},
		"shrunk in both":      {house("ajar", "oak", "elm"), house("ajar", "oak"), house("ajar", "oak"), []string{"changed " + at + "test.boards -elm"}},
	} {
		t.Run(name, func(t *testing.T) {
			told := lines(finding.DiffTwice(entriesOf(c.before), entriesOf(c.first), entriesOf(c.second), houseRules))
			told = slices.DeleteFunc(told, func(line string) bool { return line[:4] == "fact" }) // the door is one
			require.Equal(t, c.want, told)
		})
	}
}

func entriesOf(r finding.Record) func(func(finding.Entry) bool) {
	return finding.Entries(slices.Values([]finding.Record{r}))
}
