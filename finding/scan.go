package finding

import (
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// ScanSchema names the JSON form of a [Header] and a [Footer].
const ScanSchema = "handclasp.scan/1"

// A Header says how a scan was made: one for each shard, and each time that it is resumed. It may stand anywhere among the
// results, which name the scan.
type Header struct {
	Scan    string `json:"scan"`    // a random id, the same for all shards of a scan
	Version string `json:"version"` // of the program
	// Digests of what findings depend on beside the servers. What wasn't used is empty.
	Digests Digests `json:"digests"`
	// Level is how far the scan asked, and Knobs what else was asked for, such as "Injection": "true".
	Level     probe.Level       `json:"level"`
	Knobs     map[string]string `json:"knobs"`
	Protocols []string          `json:"protocols"` // those that targets could ask for
	Targets   string            `json:"targets"`   // a digest of what was asked for
	Seed      uint64            `json:"seed"`
	Shard     string            `json:"shard"`   // such as "3/16"; empty for a scan that isn't shared out
	Vantage   string            `json:"vantage"` // from where it was made; empty if nobody says
	Started   time.Time         `json:"started"`
}

// Digests are short names of versions; two that are the same stand for the same.
type Digests struct {
	Rules        string `json:"rules"`
	Profile      string `json:"profile"`
	Policy       string `json:"policy"`
	Fingerprints string `json:"fingerprints"`
	Advisories   string `json:"advisories"`
}

// A Footer says how a scan, or a shard of it, ended.
type Footer struct {
	Scan     string    `json:"scan"`
	Shard    string    `json:"shard"`
	Ended    time.Time `json:"ended"`
	Complete bool      `json:"complete"` // every target was asked
	// Outcomes counts the results by [probe.Outcome].
	Outcomes map[probe.Outcome]int64 `json:"outcomes"`
	Unusable int64                   `json:"unusable"` // inputs that couldn't be used
	// Unresolved are names that had no address, [MaxUnresolved] at most.
	Unresolved []string `json:"unresolved"`
}

// MaxUnresolved is how many names a footer lists.
const MaxUnresolved = 1000

// An Entry is a line of a file of results: a record, a header or a footer. The others are nil, the record's Result too.
type Entry struct {
	Record
	Header *Header
	Footer *Footer
}

// Entries makes entries of records whose scan has neither header nor footer.
func Entries(records iter.Seq[Record]) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for r := range records {
			if !yield(Entry{Record: r}) {
				return
			}
		}
	}
}

type headerJSON struct {
	Schema string `json:"schema"`
	Kind   string `json:"kind"` // "header" or "footer"
	*Header
}

type footerJSON struct {
	Schema string `json:"schema"`
	Kind   string `json:"kind"`
	*Footer
}

// MarshalJSON implements [json.Marshaler].
func (e Entry) MarshalJSON() ([]byte, error) {
	switch {
	case e.Header != nil:
		return json.Marshal(headerJSON{ScanSchema, "header", e.Header})
	case e.Footer != nil:
		return json.Marshal(footerJSON{ScanSchema, "footer", e.Footer})
	}
	return e.Record.MarshalJSON()
}

// UnmarshalJSON implements [json.Unmarshaler], as [Record.UnmarshalJSON] does.
func (e *Entry) UnmarshalJSON(data []byte) (err error) {
	*e, err = DecodeEntry(data)
	return err
}

// DecodeEntry parses an entry and gives a record's evidence the type that the prober of its protocol states.
func DecodeEntry(data []byte, probers ...probe.Prober) (Entry, error) {
	d := Decoder{Probers: probers}
	return d.Decode(data)
}

// Decode parses an entry.
func (d *Decoder) Decode(data []byte) (Entry, error) {
	var head struct {
		Schema string `json:"schema"`
		Kind   string `json:"kind"`
	}
	// Results are by far the most: their schema stands in front.
	if scanLine(data) {
		if err := json.Unmarshal(data, &head); err != nil {
			return Entry{}, err
		}
	}
	if head.Schema != ScanSchema {
		r, err := d.record(data)
		return Entry{Record: r}, err
	}
	var e Entry
	var err error
	switch head.Kind {
	case "header":
		err = json.Unmarshal(data, &headerJSON{Header: alloc(&e.Header)})
	case "footer":
		err = json.Unmarshal(data, &footerJSON{Footer: alloc(&e.Footer)})
	default:
		err = fmt.Errorf("kind %q: want header or footer", head.Kind)
	}
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

func alloc[T any](p **T) *T {
	*p = new(T)
	return *p
}

// scanLine reports whether the line may be a header or a footer, whose schema stands in front as ours are written.
func scanLine(data []byte) bool {
	return len(data) < 1<<20 && !begins(data, `{"schema":"handclasp.result/`)
}

func begins(data []byte, prefix string) bool {
	return len(data) >= len(prefix) && string(data[:len(prefix)]) == prefix
}
