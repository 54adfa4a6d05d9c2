package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
)

var update = flag.Bool("update", false, "write docs/rules.md anew")

// docs/rules.md is what the command writes.
func TestRulesDocument(t *testing.T) {
	const file = "../../docs/rules.md"
	a := &app{rules: handclasp.Rules(), comparisons: handclasp.Comparisons()}
	var b strings.Builder
	require.NoError(t, writeRulesMarkdown(&b, a.catalogue()))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(kept), b.String(), "write it anew: go test ./cmd/handclasp -run RulesDocument -update")
}

// The flags that rules are said to need are flags of scan.
func TestKnobsAreFlags(t *testing.T) {
	scan := (&app{}).scanCommand()
	for knob, text := range knobFlags {
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "--"), " ")
		require.NotNil(t, scan.Flags().Lookup(name), knob)
	}
	a := &app{rules: handclasp.Rules(), comparisons: handclasp.Comparisons()}
	for _, r := range a.catalogue() {
		if r.Needs.Knob != "" {
			require.Contains(t, knobFlags, r.Needs.Knob, r.ID)
		}
	}
}
