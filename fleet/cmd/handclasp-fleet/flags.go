package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/pflag"
)

// parsed adds a flag whose values are refused where they are read, with the flag's name. Shown is what it is without it.
func parsed[T any](f *pflag.FlagSet, p *T, parse func(string) (T, error), name, shown, usage string) {
	f.Func(name, usage, func(text string) error {
		value, err := parse(text)
		if err == nil {
			*p = value
		}
		return err
	})
	f.Lookup(name).DefValue = shown
}

// elsewhere are the flags of 'handclasp scan' that a fleet's scan doesn't take, and what there is instead.
var elsewhere = map[string]string{
	"format": inResults, "output": inResults, "json": inResults, "silent": inResults, "plain": inResults, "no-color": inResults,
	"progress": "'handclasp-fleet status --watch' shows how far the scan is",
	"scan-id":  "--id names the scan", "shard": "--shards says how many parts there are: workers take them all",
	"proxy": ofWorkers, "source": ofWorkers, "interface": ofWorkers,
	"accept":   "'handclasp report --accept' marks accepted risks, of results that are collected",
	"baseline": inDiff, "fail-on": inDiff, "fail-unknown": inDiff, "accept-loss": inDiff,
	"config": "settings aren't read from a file: write flags",
}

const (
	inResults = "'handclasp-fleet results -o' says where results go, and in which form"
	ofWorkers = "each worker has its own way to the targets: 'handclasp-fleet worker' takes this flag"
	inDiff    = "'handclasp diff' compares results that are collected with earlier ones, and has this flag, or takes the file"
)

// hide adds those flags, without a word in the help.
func hide(f *pflag.FlagSet) {
	for name := range elsewhere {
		f.StringP(name, map[string]string{"output": "o", "json": "j"}[name], "", "")
		f.Lookup(name).Hidden, f.Lookup(name).NoOptDefVal = true, " "
	}
}

// refused says what there is in place of such a flag, if one was given.
func refused(f *pflag.FlagSet) error {
	for _, name := range slices.Sorted(maps.Keys(elsewhere)) {
		if f.Changed(name) {
			return fmt.Errorf("--%s: %s", name, elsewhere[name])
		}
	}
	return nil
}
