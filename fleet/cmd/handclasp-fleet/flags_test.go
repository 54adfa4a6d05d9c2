package main

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each flag of 'handclasp scan' is one of submit's, too, or is refused with what there is instead.
func TestFlagsOfScan(t *testing.T) {
	help, err := exec.Command("go", "run", "github.com/handclasp/handclasp/cmd/handclasp", "scan", "--help").Output()
	require.NoError(t, err)
	flags := regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(string(help), -1)
	require.Greater(t, len(flags), 40)
	for _, flag := range flags {
		submit := submitCommand(new(connection))
		submit.SilenceErrors, submit.SilenceUsage = true, true
		submit.InitDefaultHelpFlag()
		require.NotNil(t, submit.Flags().Lookup(flag[1]), flag[1])
		if instead, ok := elsewhere[flag[1]]; ok {
			submit.SetArgs([]string{"--" + flag[1], "x", "192.0.2.1"})
			require.EqualError(t, submit.Execute(), "--"+flag[1]+": "+instead)
		}
	}
}

// A value that can't be meant is refused with the name of its flag.
func TestValuesOfFlags(t *testing.T) {
	for _, args := range [][]string{
		{"--rate", "0"}, {"--rate", "NaN"}, {"--concurrency", "0"}, {"--per-host", "-1"}, {"--retries", "11"}, {"--timeout", "90"}, {"--host-spacing", "-1s"},
		{"--lease", "soon"}, {"--ssh", "full"}, {"--tls", "all"}, {"--level", "root"}, {"--only", ","}, {"--ports", "0"}, {"--min-severity", "severe"}, {"--seed", "-1"},
	} {
		submit := submitCommand(new(connection))
		submit.SilenceErrors, submit.SilenceUsage = true, true
		submit.SetArgs(append(args, "192.0.2.1"))
		require.ErrorContains(t, submit.Execute(), args[0], args)
	}
}
