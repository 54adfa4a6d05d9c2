package fleet

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// What the server holds, all of it named after the scan, so that an account can be confined to one:
//
//	stream hc-SCAN          hc.SCAN.result.LABEL.SHARD, hc.SCAN.state.LABEL.SHARD: what was found, and how far each shard has come
//	stream hc-SCAN-work     hc.SCAN.work.LABEL.SHARD, hc.SCAN.dead.LABEL.SHARD: shards that wait, and those that were given up
//	bucket hc-SCAN          objects by their SHA-256: inputs, exclusions, fingerprints
//	bucket hc-scans         the key SCAN: the [Scan]
const scansBucket = "hc-scans"

func dataStream(scan string) string { return "hc-" + scan }
func workStream(scan string) string { return "hc-" + scan + "-work" }
func objects(scan string) string    { return "hc-" + scan }

// anywhere is the label of shards that any worker may take.
const anywhere = "any"

// The kinds of subjects.
const (
	kindResult = "result"
	kindState  = "state"
	kindWork   = "work"
	kindDead   = "dead"
)

var wordForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checkWord reports what is wrong with an id or a label: both are parts of subjects.
func checkWord(what, word string) error {
	if !wordForm.MatchString(word) {
		return fmt.Errorf("%s %q: 1 to 64 letters, digits, - and _ are needed", what, word)
	}
	return nil
}

// A unit is one shard of a scan, to be asked from one vantage.
type unit struct {
	scan, label string
	shard       int // from 1 on
}

func (u unit) subject(kind string) string {
	return fmt.Sprintf("hc.%s.%s.%s.%d", u.scan, kind, u.label, u.shard)
}

// place is "label/shard".
func (u unit) place() string { return fmt.Sprintf("%s/%d", u.label, u.shard) }

func (u unit) String() string {
	if u.label == anywhere {
		return fmt.Sprintf("shard %d of %s", u.shard, u.scan)
	}
	return fmt.Sprintf("shard %d of %s from %s", u.shard, u.scan, u.label)
}

func parseUnit(subject string) (unit, error) {
	parts := strings.Split(subject, ".")
	if len(parts) != 5 || parts[0] != "hc" {
		return unit{}, fmt.Errorf("the subject %q names no shard", subject)
	}
	shard, err := strconv.Atoi(parts[4])
	return unit{scan: parts[1], label: parts[3], shard: shard}, err
}
