// Command customrule judges a stored result by the built-in rules as a house sees them, and by one of its own. It
// needs no network: results are judged whenever the rules change.
//
//	go run ./examples/customrule result.json
//
// Without an argument it judges the one in testdata, of a server of internal/lab.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

// ruleBackup fires if an anonymous visitor sees a file that is named as a backup is.
var ruleBackup = finding.Rule{
	ID:          "house.backup-listed",
	Title:       "A backup lies open",
	Severity:    finding.High,
	Summary:     "Anybody can see, and most likely fetch, a file that is named as a backup is.",
	Remediation: "Move it out of the anonymous root (anon_root in vsftpd.conf).",
	CWE:         []int{530},
	Check: finding.On(func(e *ftp.Evidence) finding.Answer {
		if e.Anonymous.Listing == nil {
			return finding.NotLearned()
		}
		var backups []finding.Item
		for i, entry := range e.Anonymous.Listing.Entries {
			if entry.Type == ftp.TypeFile && strings.Contains(strings.ToLower(entry.Name), "backup") {
				backups = append(backups, finding.Item{Value: entry.Name, Basis: fmt.Sprintf("/evidence/anonymous/listing/entries/%d/name", i)})
			}
		}
		return finding.FiresOn(finding.Seen, backups)
	}),
}

// houseRules are the built-in rules without one, with one rated anew, and with one more.
func houseRules() []finding.Rule {
	rules := slices.Clone(ftp.Rules)
	rules = slices.DeleteFunc(rules, func(r finding.Rule) bool { return r.ID == "ftp.exposed" }) // ours are meant to be
	if i := slices.IndexFunc(rules, func(r finding.Rule) bool { return r.ID == "ftp.anonymous-writable" }); i >= 0 {
		rules[i].Severity = finding.Critical
	}
	return append(rules, ruleBackup)
}

//go:embed testdata/result.json
var stored []byte

func run(_ context.Context, args []string, stdout io.Writer) (err error) {
	data := stored
	if len(args) > 0 {
		if data, err = os.ReadFile(args[0]); err != nil {
			return err
		}
	}
	r, err := probe.Decode(data, ftp.Prober{})
	if err != nil {
		return err
	}
	for _, f := range finding.Evaluate(r, houseRules()) {
		fmt.Fprintf(stdout, "%-8v %-22s %s\n", f.Severity, f.ID, f.Basis[0])
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "customrule:", err)
		os.Exit(1)
	}
}
