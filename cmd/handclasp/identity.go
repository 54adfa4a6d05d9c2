package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/digest"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// An identity is what a scan says of itself among its results.
type identity struct {
	plain   bool
	id      string // made up unless given
	vantage string
	targets []string
	shard   scan.Shard
	seed    uint64

	outcomes   map[probe.Outcome]int64
	unresolved []string
}

func (i *identity) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&i.plain, "plain", false, "with --format jsonl: results alone, without the lines that say how the scan was made and whether it is complete")
	f.Var(value[string]{&i.id, parseWord, text, "ID"}, "scan-id", "the id of the scan that this is a shard of: give all shards the same")
	f.Var(value[string]{&i.vantage, parseWord, text, "NAME"}, "vantage", "from where this scan is made; what is seen from elsewhere is compared apart")
}

func parseWord(text string) (string, error) {
	if text == "" || len(text) > 64 {
		return "", errors.New("a word of 1 to 64 bytes is needed")
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return "", errors.New("write letters, digits and signs, without blanks")
		}
	}
	return text, nil
}

// begin settles the scan's id: that of the scan that goes on, the one that was given, or a new one. A scan that is finished
// already says nothing more.
func (i *identity) begin(r *resumption) {
	i.plain = i.plain || r.finished()
	if r != nil && r.resumed {
		i.id = r.state.ID
		i.plain = i.plain || i.id == "" // begun so
	}
	if i.id == "" {
		i.id = newScanID()
	}
	if r != nil && !i.plain {
		r.state.ID = i.id
	}
}

// newScanID makes up what no other scan is called.
func newScanID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// header says how the scan is made.
func (a *app) header(o *options, i *identity) *finding.Header {
	h := &finding.Header{
		Scan: i.id, Version: moduleVersion(), Level: o.level, Knobs: map[string]string{}, Protocols: []string{}, Targets: digest.Of(i.targets),
		Seed: i.seed, Shard: showShard(i.shard), Vantage: i.vantage, Started: time.Now().UTC().Truncate(time.Millisecond),
		Digests: a.digests(o),
	}
	for _, p := range a.probers {
		h.Protocols = append(h.Protocols, p.Spec().Protocol)
	}
	return h
}

// digests are short names of what the findings depend on beside the servers.
func (a *app) digests(o *options) finding.Digests {
	d := finding.Digests{
		Rules: digest.Rules(a.rules, a.comparisons), Fingerprints: digest.Of(moduleVersion(), o.recog), Advisories: o.advice.digest(),
	}
	if p := a.profile; p.Name != "" {
		d.Profile = digest.Of(p.Name, p.Severities)
	}
	if len(a.policies) > 0 {
		d.Policy = digest.Of(a.policies)
	}
	return d
}

// footer says how the scan ended.
func (i *identity) footer(complete bool, unusable int64) *finding.Footer {
	f := &finding.Footer{
		Scan: i.id, Shard: showShard(i.shard), Ended: time.Now().UTC().Truncate(time.Millisecond), Complete: complete,
		Outcomes: i.outcomes, Unusable: unusable, Unresolved: i.unresolved,
	}
	if f.Outcomes == nil {
		f.Outcomes = map[probe.Outcome]int64{}
	}
	if f.Unresolved == nil {
		f.Unresolved = []string{}
	}
	return f
}

func (i *identity) count(r finding.Record) {
	if i.outcomes == nil {
		i.outcomes = map[probe.Outcome]int64{}
	}
	i.outcomes[r.Outcome]++
}

// unusable notes a name that had no address.
func (i *identity) unusable(err error) {
	var bad *scan.InputError
	if errors.As(err, &bad) && bad.Unresolved != "" && len(i.unresolved) < finding.MaxUnresolved {
		i.unresolved = append(i.unresolved, bad.Unresolved)
	}
}

// writeEntry writes a line that is no result.
func writeEntry(w io.Writer, e finding.Entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", line)
	}
	return err
}
