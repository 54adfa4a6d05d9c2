package ftp

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/handclasp/handclasp/probe/probetest"
)

// requireEntry holds what every entry promises, whatever its row was.
func requireEntry(t *testing.T, row string, e Entry) {
	t.Helper()
	for _, s := range []string{e.Name, e.Modified, e.Permissions} {
		if !utf8.ValidString(s) || len(s) > len(row)+3*strings.Count(s, "\uFFFD")+len("2006-01-02T15:04:05Z") {
			t.Fatalf("%q of %q", s, row)
		}
	}
	if e.Name == "" || e.Size != nil && (*e.Size < 0 || e.Type != TypeFile) ||
		!slices.Contains([]string{TypeFile, TypeDirectory, TypeCurrent, typeParent, TypeLink, TypeOther}, e.Type) {
		t.Fatalf("%+v of %q", e, row)
	}
}

func fuzzFormat(f *testing.F, formats ...format) {
	for _, format := range formats {
		for row := range format.rows {
			f.Add(row)
		}
		for _, row := range format.not {
			f.Add(row)
		}
	}
	f.Fuzz(func(t *testing.T, row string) {
		for _, format := range formats {
			if e, ok := format.parse(row); ok {
				requireEntry(t, row, e)
			}
		}
	})
}

func FuzzUnix(f *testing.F)    { fuzzFormat(f, unixRows) }
func FuzzDOS(f *testing.F)     { fuzzFormat(f, dosRows) }
func FuzzEPLF(f *testing.F)    { fuzzFormat(f, eplfRows) }
func FuzzNetWare(f *testing.F) { fuzzFormat(f, netWareRows) }
func FuzzVMS(f *testing.F)     { fuzzFormat(f, vmsRows) }
func FuzzIBMi(f *testing.F)    { fuzzFormat(f, ibmiRows) }
func FuzzMVS(f *testing.F)     { fuzzFormat(f, dataSetRows, dataSetRowsAlone, memberRows, moduleRows) }
func FuzzMachine(f *testing.F) { fuzzFormat(f, machineRows) }

// FuzzListing holds that no row of a listing is lost or counted twice.
func FuzzListing(f *testing.F) {
	probetest.Seeds(f, transcripts+"*list*.txt")
	for _, format := range []format{unixRows, dosRows, eplfRows, netWareRows, vmsRows, ibmiRows, dataSetRows, memberRows, machineRows} {
		var all []string
		for row := range format.rows {
			all = append(all, row)
		}
		f.Add([]byte(strings.Join(all, "\n")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, machine := range []bool{false, true} {
			r := newRows(machine)
			lines := bytes.Split(data, []byte("\n"))
			whole := true
			for _, line := range lines {
				if whole = r.add(line); !whole {
					break
				}
			}
			whole = whole && r.end()
			if rows := len(r.l.Entries) + r.l.Unparsed; rows > min(len(lines), maxEntries) || whole == r.l.Truncated || len(r.l.UnparsedSample) != min(r.l.Unparsed, maxSample) {
				t.Fatalf("%d lines: %+v", len(lines), r.l)
			}
			for _, e := range r.l.Entries {
				requireEntry(t, string(data), e)
				if e.Name == "." || e.Name == ".." {
					t.Fatalf("%q is no entry", e.Name)
				}
			}
		}
	})
}
