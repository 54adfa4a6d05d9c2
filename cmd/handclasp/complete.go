package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/outform"
	"github.com/handclasp/handclasp/probe"
)

// words are what the shell can offer for a flag, by what its help calls the value. What a flag refuses isn't offered.
func (a *app) words(kind string) []string {
	switch kind {
	case "LEVEL":
		return []string{probe.LevelGreeting.String(), probe.LevelHandshake.String(), probe.LevelAnonymous.String()}
	case "FORMAT":
		return append(slices.Clone(outform.Forms), formatText, formatJSON, formatMarkdown)
	case "SEVERITY":
		var all []string
		for s := finding.Info; s <= finding.Critical; s++ {
			all = append(all, s.String())
		}
		return all
	case "PROFILE":
		var all []string
		for _, p := range finding.Profiles() {
			all = append(all, p.Name)
		}
		return all
	case "POLICY":
		var all []string
		for _, p := range finding.Policies() {
			all = append(all, p.Name)
		}
		return all
	case "HOW":
		return []string{"negotiated", string(probe.TLSModeVersions), string(probe.TLSModeWeak), string(probe.TLSModeFull), "handshake", "gex"}
	case "PROTOCOLS":
		var all []string
		for _, p := range a.probers {
			all = append(all, p.Spec().Protocol)
		}
		return all
	case "RULES":
		return a.ruleWords()
	}
	return nil
}

// ruleWords are the rules' ids, and what stands before their dots.
func (a *app) ruleWords() (all []string) {
	for _, r := range a.catalogue() {
		if group, _, ok := strings.Cut(r.ID, "."); ok && !slices.Contains(all, group) {
			all = append(all, group)
		}
		all = append(all, r.ID)
	}
	return all
}

// complete tells the shell what each flag takes, and the arguments that aren't files.
func (a *app) complete(root *cobra.Command) {
	var names []string
	for _, cmd := range commandsOf(root) {
		names = append(names, nameOf(cmd))
	}
	for _, cmd := range commandsOf(root) {
		switch nameOf(cmd) {
		case "rules":
			cmd.ValidArgsFunction = completing(a.ruleWords)
		case "config":
			cmd.ValidArgsFunction = completing(func() []string { return names[1:] })
		case "scan", "watch", "demo", "version":
			cmd.ValidArgsFunction = completing(func() []string { return nil })
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			kind, _ := pflag.UnquoteUsage(f)
			_ = cmd.RegisterFlagCompletionFunc(f.Name, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
				return a.offer(f, kind, typed)
			}) // fails only if there is one already
		})
	}
}

// completing offers words for arguments.
func completing(words func() []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	}
}

// offer returns what could stand behind a flag if something is typed already.
func (a *app) offer(f *pflag.Flag, kind, typed string) ([]string, cobra.ShellCompDirective) {
	switch kind {
	case "FILE", "STATE":
		return nil, cobra.ShellCompDirectiveDefault
	case "DIR":
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	before, directive := "", cobra.ShellCompDirectiveNoFileComp
	if v, ok := f.Value.(interface{ isList() bool }); ok && v.isList() {
		before, directive = typed[:strings.LastIndex(typed, ",")+1], directive|cobra.ShellCompDirectiveNoSpace
	}
	taken := strings.Split(before, ",")
	var all []string
	for _, word := range a.words(kind) {
		if v, ok := f.Value.(interface{ takes(string) bool }); (!ok || v.takes(word)) && !slices.Contains(taken, word) {
			all = append(all, before+word)
		}
	}
	if kind == "POLICY" { // or a file
		directive = cobra.ShellCompDirectiveDefault
	}
	return all, directive
}
