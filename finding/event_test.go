package finding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
)

// What is accepted alarms nobody, and what is beside it does.
func TestAlarming(t *testing.T) {
	pub, payroll := finding.Item{Value: "pub"}, finding.Item{Value: "payroll"}
	of := func(items ...string) []finding.Acceptance { return []finding.Acceptance{{Items: items}} }
	for name, c := range map[string]struct {
		change finding.Change
		want   bool
	}{
		"new":                  {finding.Change{Status: finding.New}, true},
		"unknown":              {finding.Change{Status: finding.Unknown}, false},
		"resolved":             {finding.Change{Status: finding.Resolved}, false},
		"grown":                {finding.Change{Status: finding.Changed, Added: []finding.Item{pub}}, true},
		"shrunk":               {finding.Change{Status: finding.Changed, Removed: []finding.Item{pub}}, false},
		"worse":                {finding.Change{Status: finding.Changed, Was: finding.Low}, true},
		"better":               {finding.Change{Status: finding.Changed, Was: finding.High}, false},
		"new and accepted":     {finding.Change{Status: finding.New, Finding: finding.Finding{Accepted: of()}}, false},
		"another one accepted": {finding.Change{Status: finding.New, Finding: finding.Finding{Items: []finding.Item{pub, payroll}, Accepted: of("pub")}}, true},
		"grown by what is":     {finding.Change{Status: finding.Changed, Added: []finding.Item{pub}, Finding: finding.Finding{Items: []finding.Item{pub, payroll}, Accepted: of("pub")}}, false},
		"grown by what isn't":  {finding.Change{Status: finding.Changed, Added: []finding.Item{payroll}, Finding: finding.Finding{Items: []finding.Item{pub, payroll}, Accepted: of("pub")}}, true},
		"worse, and a part is": {finding.Change{Status: finding.Changed, Was: finding.Low, Finding: finding.Finding{Items: []finding.Item{pub, payroll}, Accepted: of("pub")}}, true},
		"worse, and it all is": {finding.Change{Status: finding.Changed, Was: finding.Low, Finding: finding.Finding{Items: []finding.Item{pub}, Accepted: of("pub")}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.change.Finding.Severity = finding.Medium
			require.Equal(t, c.want, c.change.Alarming(finding.Medium))
			require.False(t, c.change.Alarming(finding.High), "below what is asked for")
			require.False(t, c.change.Alarming(0), "nothing is asked for")
		})
	}
}
