package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/schema"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

var update = flag.Bool("update", false, "write the schema anew")

const (
	root = "../.."
	file = root + "/docs/schema/result-1.json"
)

// readers are the probers of which there are results.
func readers() []probe.Prober { return append(handclasp.Probers(), detect.Detector{}) }

// The committed schema is the one that the types give. After a change of theirs: go test ./internal/schema -update.
func TestSchemaIsCurrent(t *testing.T) {
	result, err := schema.Document(readers(), root, false)
	require.NoError(t, err)
	scan, err := schema.ScanDocument(root)
	require.NoError(t, err)
	for path, made := range map[string][]byte{file: result, root + "/docs/schema/scan-1.json": scan} {
		made = append(made, '\n')
		if *update {
			require.NoError(t, os.WriteFile(path, made, 0o644))
		}
		committed, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(made), string(committed), "go test ./internal/schema -update")
	}
}

// Headers and footers are as their schema says.
func TestScanSchema(t *testing.T) {
	document, err := schema.ScanDocument(root)
	require.NoError(t, err)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource(schema.ScanID, parsed))
	s, err := c.Compile(schema.ScanID)
	require.NoError(t, err)
	for _, e := range []finding.Entry{
		{Header: &finding.Header{Scan: "1", Knobs: map[string]string{}, Protocols: []string{"ftp"}}},
		{Footer: &finding.Footer{Scan: "1", Outcomes: map[probe.Outcome]int64{probe.OutcomeOK: 2}}},
	} {
		line, err := json.Marshal(e)
		require.NoError(t, err)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		require.NoError(t, err)
		require.NoError(t, s.Validate(value), "%s", line)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(`{"schema":"handclasp.scan/1","kind":"header","scan":"1"}`)))
	require.NoError(t, err)
	require.Error(t, s.Validate(value))
}

func compile(t *testing.T, document []byte) *jsonschema.Schema {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource(schema.ID, parsed))
	s, err := c.Compile(schema.ID)
	require.NoError(t, err)
	return s
}

func closed(t *testing.T) *jsonschema.Schema {
	document, err := schema.Document(readers(), root, true)
	require.NoError(t, err)
	return compile(t, document)
}

func value(t *testing.T, document []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	return v
}

// Every recorded conversation gives a result that the schema describes, to the last field.
func TestSchemaOfRecordings(t *testing.T) {
	strict := closed(t)
	for _, p := range handclasp.Probers() {
		files, err := filepath.Glob(filepath.Join(root, p.Spec().Protocol, "testdata/transcripts/*.txt"))
		require.NoError(t, err)
		require.NotEmpty(t, files, p.Spec().Protocol)
		for _, name := range files {
			document := replayed(t, p, name)
			require.NoError(t, strict.Validate(value(t, document)), "%s: %s", name, document)
		}
	}
}

// replayed returns the record of a recorded conversation, as JSON.
func replayed(t *testing.T, p probe.Prober, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	rec, err := replay.Parse(text)
	require.NoError(t, err)
	document, err := json.Marshal(finding.NewRecord(probe.Run(t.Context(), p, rec.Target, rec.Options()), handclasp.Rules()))
	require.NoError(t, err)
	return document
}

// What isn't a result isn't taken for one; a field that a later version adds is.
func TestSchemaRefuses(t *testing.T) {
	document := replayed(t, ftp.Prober{}, root+"/ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")
	strict, committed := closed(t), must(os.ReadFile(file))
	open := compile(t, committed)
	require.NoError(t, strict.Validate(value(t, document)))
	for name, change := range map[string]func(map[string]any){
		"another schema":          func(m map[string]any) { m["schema"] = "handclasp.result/2" },
		"no findings":             func(m map[string]any) { delete(m, "findings") },
		"null for a list":         func(m map[string]any) { m["software"] = nil },
		"an outcome of one's own": func(m map[string]any) { m["outcome"] = "fine" },
		"a false fact": func(m map[string]any) {
			m["evidence"].(map[string]any)["auth_tls"] = "maybe"
		},
		"half of its evidence": func(m map[string]any) {
			delete(m["evidence"].(map[string]any), "greeting")
		},
	} {
		changed := value(t, document).(map[string]any)
		change(changed)
		require.Error(t, open.Validate(changed), name)
	}
	more := value(t, document).(map[string]any)
	more["later"] = 1
	require.NoError(t, open.Validate(more))
	require.Error(t, strict.Validate(more))
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// Results that were stored by this version or an earlier one are read by later ones, and say the same for ever: the file is
// never written anew.
func TestStoredResults(t *testing.T) {
	committed := compile(t, must(os.ReadFile(file)))
	lines := 0
	for line := range bytes.Lines(must(os.ReadFile("testdata/results.jsonl"))) {
		lines++
		require.NoError(t, committed.Validate(value(t, line)), "%s", line)
		record, err := finding.DecodeRecord(line, handclasp.Probers()...)
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprintf("%T", record.Evidence), "RawEvidence")
		found := finding.Evaluate(record.Result, handclasp.Rules())
		found = slices.DeleteFunc(found, func(f finding.Finding) bool { return !slices.ContainsFunc(record.Findings, sameRule(f)) })
		require.Equal(t, judgements(record.Findings), judgements(found), "later rules may add to them")
	}
	require.Equal(t, len(handclasp.Probers()), lines)
}

// judgements are what stored findings have had from the first.
func judgements(findings []finding.Finding) (list []string) {
	for _, f := range findings {
		list = append(list, fmt.Sprint(f.Key, f.ID, f.Title, f.Severity, f.Known, f.CWE))
	}
	return list
}

func sameRule(f finding.Finding) func(finding.Finding) bool {
	return func(g finding.Finding) bool { return f.ID == g.ID }
}
