package report_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/report/sarif"
)

// stored is a record as a line.
func stored(t *testing.T, r finding.Record) string {
	line, err := json.Marshal(r)
	require.NoError(t, err)
	return string(line)
}

func readAll(r io.Reader, probers ...probe.Prober) (records []finding.Record, errs []error) {
	for record, err := range report.Read(r, probers...) {
		if err != nil {
			errs = append(errs, err)
		} else {
			records = append(records, record)
		}
	}
	return records, errs
}

func TestReadPassesOverWhatIsBroken(t *testing.T) {
	first, second := finding.NewRecord(result("192.0.2.7:21", "", ready()), rules), finding.NewRecord(result("192.0.2.8:21", "", nil), rules)
	file := stored(t, first) + "\n\n \r\nno record\n{\"schema\":\"other/1\"}\n" + stored(t, second) + "\r\n" + stored(t, first)[:200]
	records, errs := readAll(iotest.OneByteReader(strings.NewReader(file)), prober{})
	require.Len(t, records, 2)
	require.Equal(t, stored(t, first), stored(t, records[0]))
	require.Equal(t, stored(t, second), stored(t, records[1]))
	require.Len(t, errs, 3)
	for i, line := range []int{4, 5, 7} {
		var e *report.LineError
		require.ErrorAs(t, errs[i], &e)
		require.Equal(t, line, e.Line)
	}
	require.ErrorContains(t, errs[1], `line 5: schema "other/1"`)

	records, errs = readAll(strings.NewReader(file))
	require.Len(t, records, 2)
	require.IsType(t, new(probe.RawEvidence), records[0].Evidence)
	require.Len(t, errs, 3)
}

func TestReadEnds(t *testing.T) {
	line := stored(t, finding.NewRecord(result("192.0.2.7:21", "", ready()), rules)) + "\n"
	records, errs := readAll(strings.NewReader(""))
	require.Empty(t, records)
	require.Empty(t, errs)

	gone := errors.New("gone")
	records, errs = readAll(io.MultiReader(strings.NewReader(line), iotest.ErrReader(gone)), prober{})
	require.Len(t, records, 1)
	require.Equal(t, []error{gone}, errs)

	for range report.Read(strings.NewReader(line+line), prober{}) {
		break // a reader may have enough
	}
}

// zeros is a line that never ends, as far as memory goes.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	clear(p[:n])
	z.left -= n
	return n, nil
}

func TestReadKeepsNoLineThatIsTooLong(t *testing.T) {
	line := stored(t, finding.NewRecord(result("192.0.2.7:21", "", ready()), rules))
	records, errs := readAll(io.MultiReader(&zeros{left: 65 << 20}, strings.NewReader("\n"+line)), prober{})
	require.Len(t, records, 1)
	require.Len(t, errs, 1)
	require.EqualError(t, errs[0], "line 1: longer than 64 MiB")
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"handclasp.result/1","protocol":"ftp","target":{"network":"tcp","addr":"192.0.2.7:21","name":""},` +
		`"started":"2026-01-02T03:04:05.678Z","level":"handshake","outcome":"ok","evidence":{"greeting":{"code":220,"lines":["x"]}},` +
		`"findings":[{"id":"ftp.exposed","severity":"medium","known":"wire","basis":["/evidence/greeting","/transcript/0"]}],` +
		`"transcript":[{"at_ms":3,"conn":1,"dir":"recv","text":"220 x\r\n"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		page := report.NewHTML(io.Discard, report.HTMLOptions{Rules: rules})
		table := report.NewTable(io.Discard, report.TableOptions{List: true})
		writers := []report.Writer{report.NewJSONL(io.Discard), report.NewCSV(io.Discard), sarif.New(io.Discard, sarif.Options{}), page}
		for record, err := range report.Read(strings.NewReader(string(data)), prober{}) {
			if err != nil {
				continue
			}
			for _, w := range writers {
				require.NoError(t, w.Write(record))
			}
			require.NoError(t, table.Write(record, report.Host{}))
		}
		for _, w := range writers {
			require.NoError(t, w.Close())
		}
		require.NoError(t, table.Close())
	})
}

func TestPointersWithoutEnd(t *testing.T) {
	r := finding.NewRecord(result("192.0.2.7:21", "", ready()), rules)
	r.Findings[0].Basis = []string{strings.Repeat("/", 1<<20), "/evidence" + strings.Repeat("/greeting", 1<<16), "/evidence/greeting/lines/0"}
	for form, text := range written(t, r) {
		require.Contains(t, text, "ready", form)
		if form != "jsonl" { // which leaves nothing out
			require.Less(t, len(text), 1<<18, form)
		}
	}
}
