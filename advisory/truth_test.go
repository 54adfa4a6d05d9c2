package advisory_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// A shipped package: its revisions in a release, the oldest first, and the vulnerabilities that each is the first to
// mend; those mended before the release came out are in the past.
type shipped struct {
	ecosystem, product, source string
	past                       []revision
	revisions                  []revision
}

type revision struct {
	version string
	mends   []string
}

// readShipped reads testdata/shipped.txt: a line for the release, the product and its source package; below it, indented,
// its revisions as the package's changelog has them.
func readShipped(t testing.TB) (list []*shipped) {
	text, err := os.ReadFile("testdata/shipped.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case !strings.HasPrefix(line, " "):
			require.Len(t, f, 3, line)
			list = append(list, &shipped{ecosystem: f[0], product: f[1], source: f[2]})
		case f[0] == "before":
			s := list[len(list)-1]
			s.past = append(s.past, revision{f[1], f[2:]})
		default:
			s := list[len(list)-1]
			s.revisions = append(s.revisions, revision{f[0], f[1:]})
		}
	}
	return list
}

// An osv is a record as far as it matters here.
type osv struct {
	ID       string        `json:"id"`
	Modified string        `json:"modified"`
	Severity []osvSeverity `json:"severity,omitempty"`
	Affected []osvAffected `json:"affected"`
}

type osvSeverity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type osvAffected struct {
	Package  osvPackage     `json:"package"`
	Ranges   []osvRange     `json:"ranges,omitempty"`
	Versions []string       `json:"versions,omitempty"`
	Specific map[string]any `json:"ecosystem_specific,omitempty"`
}

type osvPackage struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

type osvRange struct {
	Type   string              `json:"type"`
	Events []map[string]string `json:"events"`
}

// upTo is a statement that all versions of a package before one are affected; all if it is empty.
func upTo(ecosystem, name, fixed string) osvAffected {
	events := []map[string]string{{"introduced": "0"}}
	if fixed != "" {
		events = append(events, map[string]string{"fixed": fixed})
	}
	return osvAffected{Package: osvPackage{ecosystem, name}, Ranges: []osvRange{{"ECOSYSTEM", events}}}
}

// record is an OSV record of one vulnerability.
func record(id string, affected ...osvAffected) osv {
	return osv{ID: id, Modified: "2026-11-20T00:00:00Z", Affected: affected}
}

// build returns the index of the files.
func build(t testing.TB, files ...any) *advisory.Index {
	var b advisory.Builder
	for i, f := range files {
		data, ok := f.([]byte)
		if !ok {
			var err error
			data, err = json.Marshal(f)
			require.NoError(t, err)
		}
		require.NoError(t, b.Add(fmt.Sprint("file", i), bytes.NewReader(data), int64(len(data))))
	}
	x, err := advisory.ReadIndex(b.Index())
	require.NoError(t, err)
	return x
}

// indexOf returns an index of the records that say what the table says.
func indexOf(t testing.TB, list []*shipped) *advisory.Index {
	records := map[string]*osv{}
	for _, s := range list {
		for _, r := range slices.Concat(s.past, s.revisions) {
			for _, cve := range r.mends {
				if records[cve] == nil {
					o := record("DEBIAN-" + cve)
					records[cve] = &o
				}
				records[cve].Affected = append(records[cve].Affected, upTo(s.ecosystem, s.source, r.version))
			}
		}
	}
	var files []any
	for _, id := range slices.Sorted(maps.Keys(records)) {
		files = append(files, records[id])
	}
	return build(t, files...)
}

// repack is what a distribution adds to a project's version and no server tells.
var repack = regexp.MustCompile(`[+~](dfsg|ds\d*)$`)

// software is a package as a banner would tell it: without its epoch.
func (s *shipped) software(version string) []probe.Software {
	if i := strings.Index(version, ":"); i >= 0 {
		version = version[i+1:]
	}
	i := strings.LastIndexByte(version, '-')
	distribution, release, _ := strings.Cut(s.ecosystem, ":")
	return []probe.Software{
		{Product: s.product, Version: repack.ReplaceAllString(version[:i], ""), PackageRevision: version[i+1:], Distribution: distribution},
		{Product: distribution + " Linux", Version: strings.TrimSuffix(release, ":LTS")},
	}
}

var now = time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)

// claims returns the vulnerabilities that a verdict says a package has.
func claims(t testing.TB, j advisory.Judge, software []probe.Software) []string {
	ids := []string{}
	for _, v := range j.Judge(advisory.Subject{Software: software, Time: now}) {
		if v.Kind == advisory.Vulnerable {
			require.Equal(t, finding.Claimed, v.Known)
			for _, x := range v.Vulnerables {
				ids = append(ids, x.ID)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// TestShippedRevisions: of each revision that the releases shipped, what a later one mends is claimed, and nothing that
// it or an earlier one does.
func TestShippedRevisions(t *testing.T) {
	list := readShipped(t)
	j := advisory.Judge{Index: indexOf(t, list)}
	for _, s := range list {
		for i, r := range s.revisions {
			unmended := []string{}
			for _, later := range s.revisions[i+1:] {
				unmended = append(unmended, later.mends...)
			}
			slices.Sort(unmended)
			require.Equal(t, unmended, claims(t, j, s.software(r.version)), "%s %s %s", s.ecosystem, s.product, r.version)
		}
	}
}

// TestShippedRevisionsByTheTable: the same without a file, of what the built-in table knows of packages.
func TestShippedRevisionsByTheTable(t *testing.T) {
	table := []string{"CVE-2024-6387", "CVE-2025-26466", "CVE-2024-12084", "CVE-2024-12085"}
	seen := map[string]int{}
	for _, s := range readShipped(t) {
		for i, r := range s.revisions {
			unmended := []string{}
			for _, later := range s.revisions[i+1:] {
				for _, id := range later.mends {
					if slices.Contains(table, id) {
						unmended = append(unmended, id)
						seen[id]++
					}
				}
			}
			slices.Sort(unmended)
			require.Equal(t, unmended, claims(t, advisory.Judge{}, s.software(r.version)), "%s %s %s", s.ecosystem, s.product, r.version)
		}
	}
	require.Len(t, seen, len(table))
}
