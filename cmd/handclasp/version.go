package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
	}
}

// moduleVersion is this program's, as the Go toolchain knows it; empty for a source tree.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}

// version is what the Go toolchain wrote into the program.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "handclasp, of an unknown version"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "of a source tree"
	}
	return fmt.Sprintf("handclasp %s, built with %s", v, info.GoVersion)
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("%s takes no arguments, and got %q", cmd.Name(), args[0]), cmd.CommandPath()}
	}
	return nil
}
