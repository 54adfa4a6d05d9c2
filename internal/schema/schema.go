// Package schema makes the JSON Schema of a stored result from the Go types that it is written from.
package schema

import (
	"encoding"
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// ID names the schema.
const ID = "https://raw.githubusercontent.com/handclasp/handclasp/main/docs/schema/result-1.json"

// An object is a JSON object whose members keep their order: that of the Go types.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		key, _ := json.Marshal(m.key) // a string always marshals
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}

// Document returns the schema (JSON Schema 2020-12) of what the probers' results look like as JSON. Fields are only
// ever added, so that it allows those that it doesn't know; a closed one doesn't, which is for tests. Descriptions are
// the types' comments, found below the module's root folder.
func Document(probers []probe.Prober, root string, closed bool) ([]byte, error) {
	g := &generator{closed: closed, comments: comments{root: root}, names: map[string]reflect.Type{}}
	doc := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", ID},
		{"title", "A handclasp result"},
		{"description", "What one probe of one endpoint learned, and what was found in it: one line of 'handclasp scan --format jsonl'."},
	}
	evidence := []any{}
	var protocols []any
	for _, p := range probers {
		spec := p.Spec()
		protocols = append(protocols, spec.Protocol)
		if spec.Evidence == nil {
			continue
		}
		evidence = append(evidence, object{
			{"if", object{{"properties", object{{"protocol", object{{"const", spec.Protocol}}}}}}},
			{"then", object{{"properties", object{{"evidence", nullable(g.of(reflect.TypeOf(spec.Evidence()).Elem()))}}}}},
		})
	}
	doc = append(doc, g.result(protocols)...)
	doc = append(doc, member{"allOf", evidence}, member{"$defs", g.definitions})
	if g.err != nil {
		return nil, g.err
	}
	return json.MarshalIndent(doc, "", "  ")
}

// ScanID names the schema of what scans say of themselves.
const ScanID = "https://raw.githubusercontent.com/handclasp/handclasp/main/docs/schema/scan-1.json"

// ScanDocument returns the schema of headers and footers.
func ScanDocument(root string) ([]byte, error) {
	g := &generator{comments: comments{root: root}, names: map[string]reflect.Type{}}
	doc := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", ScanID},
		{"title", "What a scan says of itself"},
		{"description", "A line among the results of 'handclasp scan --format jsonl' that says how they were made, or how the scan ended."},
		{"type", "object"},
		{"properties", object{{"schema", object{{"const", finding.ScanSchema}}}, {"kind", object{{"enum", []string{"header", "footer"}}}}}},
		{"required", []string{"schema", "kind", "scan"}},
		{"if", object{{"properties", object{{"kind", object{{"const", "header"}}}}}}},
		{"then", g.of(reflect.TypeFor[finding.Header]())},
		{"else", g.of(reflect.TypeFor[finding.Footer]())},
	}
	doc = append(doc, member{"$defs", g.definitions})
	if g.err != nil {
		return nil, g.err
	}
	return json.MarshalIndent(doc, "", "  ")
}

// result is the envelope, whose JSON form isn't a Go struct's.
func (g *generator) result(protocols []any) object {
	properties := object{
		{"schema", object{{"const", "handclasp.result/1"}}},
		{"protocol", object{{"type", "string"}, {"description", "What was spoken. A prober of one's own adds its name."}, {"examples", protocols}}},
		{"target", g.of(reflect.TypeFor[probe.Target]())},
		{"started", object{{"type", "string"}, {"format", "date-time"}, {"description", "In UTC, to the millisecond."}}},
		{"elapsed_ms", object{{"type", "integer"}, {"minimum", 0}}},
		{"level", g.of(reflect.TypeFor[probe.Level]())},
		{"outcome", append(g.of(reflect.TypeFor[probe.Outcome]()), member{"minLength", 1})},
		{"error", nullable(object{
			{"type", "object"}, {"description", "Null if the outcome is ok."},
			{"properties", object{{"op", object{{"type", "string"}}}, {"message", object{{"type", "string"}}}}},
			{"required", []string{"op", "message"}},
		})},
		{"partial", object{
			{"type", "array"}, {"items", object{{"type", "string"}}},
			{"description", "JSON pointers to what was asked for and not answered for a reason of the moment; empty if the outcome is ok. Absent in results of before there was such a list."},
		}},
		{"evidence", object{{"type", []string{"object", "null"}}, {"description", "What was learned, by protocol. Partial if the outcome isn't ok."}}},
		{"software", object{{"type", "array"}, {"items", g.of(reflect.TypeFor[probe.Software]())}}},
		{"findings", object{{"type", "array"}, {"items", g.of(reflect.TypeFor[finding.Finding]())}}},
		{"tag", object{{"type", "string"}, {"description", "What the list of targets says beside the target. Absent if it says nothing."}}},
		{"scan", object{{"type", "string"}, {"description", "The id of the scan, whose header says how it was made. Absent in results that belong to none."}}},
		{"transcript", object{
			{"type", "array"}, {"items", g.event()},
			{"description", "What was said, above TLS. Empty unless --transcript asked for it."},
		}},
	}
	var required []string
	for _, p := range properties {
		if p.key != "partial" && p.key != "scan" && p.key != "tag" {
			required = append(required, p.key)
		}
	}
	return g.close(object{{"type", "object"}, {"properties", properties}, {"required", required}})
}

// event is the JSON form of a probe.Event, which writes itself.
func (g *generator) event() object {
	return g.close(object{
		{"type", "object"},
		{"properties", object{
			{"at_ms", object{{"type", "integer"}, {"minimum", 0}, {"description", "Milliseconds since the probe began."}}},
			{"conn", object{{"type", "integer"}, {"minimum", 0}, {"description", "The connection, counted from 1; 0 for the session itself."}}},
			{"dir", object{{"enum", []probe.Dir{probe.DirOpen, probe.DirSend, probe.DirRecv, probe.DirTLS, probe.DirEnd, probe.DirRand, probe.DirStray}}}},
			{"text", object{{"type", "string"}}},
			{"lossy", object{{"const", true}, {"description", "The text isn't all of it: the bytes are in base64."}}},
			{"base64", object{{"type", "string"}, {"contentEncoding", "base64"}}},
			{"label", object{{"type", "string"}, {"description", "What the guard called a send."}}},
			{"tls", g.of(reflect.TypeFor[probe.TLS]())},
			{"outcome", g.of(reflect.TypeFor[probe.Outcome]())},
		}},
		{"required", []string{"at_ms", "conn", "dir", "text"}},
	})
}

func nullable(schema object) object {
	return object{{"anyOf", []any{schema, object{{"type", "null"}}}}}
}

// enums are the types with a closed set of values.
var enums = map[reflect.Type][]any{
	reflect.TypeFor[probe.Fact]():    {probe.Unknown, probe.Yes, probe.No},
	reflect.TypeFor[probe.Level]():   {probe.LevelGreeting, probe.LevelHandshake, probe.LevelAnonymous},
	reflect.TypeFor[probe.Network](): {probe.TCP, probe.UDP},
	reflect.TypeFor[probe.Outcome](): {
		probe.Outcome(""), // of a part of the evidence that wasn't asked for
		probe.OutcomeOK, probe.OutcomeBusy, probe.OutcomeDenied, probe.OutcomeRefused, probe.OutcomeUnreachable, probe.OutcomeTimeout, probe.OutcomeCanceled, probe.OutcomeClosed,
		probe.OutcomeTLS, probe.OutcomeNotProtocol, probe.OutcomeMalformed, probe.OutcomeLimit, probe.OutcomeForbidden, probe.OutcomeInternal,
	},
	reflect.TypeFor[finding.Known](): {
		finding.Seen, finding.Claimed, finding.Inferred,
		finding.Known("wire"), finding.Known("advertised"), // seen and claimed, in results of before version 0.1
	},
	reflect.TypeFor[finding.Severity](): {finding.Info, finding.Low, finding.Medium, finding.High, finding.Critical},
}

// later are fields that results of earlier versions lack, by type: they are always written, and not required.
var later = map[string][]string{
	"finding.Finding":  {"key", "items", "remediation", "references"},
	"ftp.Anonymous":    {"listing_reply"},
	"ftp.Listing":      {"current", "unparsed", "unparsed_sample"},
	"netbios.Evidence": {"stray_replies"},
	"ssh.Evidence":     {"identification_too_long", "gex"},
	"ssh.HostKey":      {"key"},
	"TLS":              {"client_certificate_requested", "offers", "ocsp_stapled", "scts"},
	"Certificate":      {"key_sha256", "key_usage", "must_staple", "scts"},
	"Software":         {"distribution", "package_revision", "hint"},
}

// nulls are fields that results of earlier versions have as null if they weren't learned, by type.
var nulls = map[string][]string{"ftp.Evidence": {"anonymous"}}

// A generator turns types into schemas. Structs become definitions.
type generator struct {
	closed      bool
	comments    comments
	names       map[string]reflect.Type
	definitions object
	err         error
}

func (g *generator) of(t reflect.Type) object {
	if values, ok := enums[t]; ok {
		return g.define(t, func() object { return object{{"enum", values}} })
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return nullable(g.of(t.Elem()))
	case t == reflect.TypeFor[time.Time]():
		return object{{"type", "string"}, {"format", "date-time"}}
	case t == reflect.TypeFor[netip.AddrPort](), t == reflect.TypeFor[netip.Addr]():
		return object{{"type", "string"}}
	case t == reflect.TypeFor[[]byte]():
		return object{{"type", "string"}, {"contentEncoding", "base64"}}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return object{{"type", "string"}}
	}
	switch t.Kind() {
	case reflect.String:
		return object{{"type", "string"}}
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{{"type", "integer"}}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{{"type", "integer"}, {"minimum", 0}}
	case reflect.Float32, reflect.Float64:
		return object{{"type", "number"}}
	case reflect.Slice:
		return object{{"type", []string{"array", "null"}}, {"items", g.of(t.Elem())}} // null is a list that wasn't learned
	case reflect.Array:
		return object{{"type", "array"}, {"items", g.of(t.Elem())}}
	case reflect.Map:
		return object{{"type", "object"}, {"additionalProperties", g.of(t.Elem())}}
	case reflect.Struct:
		return g.define(t, func() object { return g.structure(t) })
	}
	return object{} // anything
}

// nameOf is what a type is called among the definitions.
func (g *generator) nameOf(t reflect.Type) string {
	name := t.Name()
	if pkg := t.PkgPath(); !strings.HasSuffix(pkg, "/probe") {
		name = pkg[strings.LastIndexByte(pkg, '/')+1:] + "." + name
	}
	return name
}

// define puts a type's schema among the definitions, once, and returns the reference to it.
func (g *generator) define(t reflect.Type, make func() object) object {
	name := g.nameOf(t)
	if _, known := g.names[name]; !known {
		g.names[name] = t
		at := len(g.definitions)
		g.definitions = append(g.definitions, member{name, nil}) // its own fields may refer to it
		var schema object
		if text := g.comment(t, ""); text != "" {
			schema = object{{"description", text}}
		}
		g.definitions[at].value = append(schema, make()...)
	}
	return object{{"$ref", "#/$defs/" + name}}
}

func (g *generator) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported(), name == "-", f.Anonymous && name == "", len(f.Index) > 1 && !promoted(t, f):
			continue
		case name == "":
			name = f.Name
		}
		schema := g.of(f.Type)
		if slices.Contains(nulls[g.nameOf(t)], name) {
			schema = nullable(schema)
		}
		if text := g.comment(owner(t, f), f.Name); text != "" {
			schema = append(schema, member{"description", text})
		}
		properties = append(properties, member{name, schema})
		if !strings.Contains(options, "omitempty") && !slices.Contains(later[g.nameOf(t)], name) {
			required = append(required, name)
		}
	}
	return g.close(object{{"type", "object"}, {"properties", properties}, {"required", required}})
}

// promoted reports whether a field of an embedded struct is written among those of t.
func promoted(t reflect.Type, f reflect.StructField) bool {
	outer := t.FieldByIndex(f.Index[:1])
	return outer.Anonymous && outer.Tag.Get("json") == ""
}

// owner is the struct that declares the field.
func owner(t reflect.Type, f reflect.StructField) reflect.Type {
	for _, i := range f.Index[:len(f.Index)-1] {
		if t = t.Field(i).Type; t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return t
}

func (g *generator) close(o object) object {
	if g.closed {
		o = append(o, member{"unevaluatedProperties", false})
	}
	return o
}

func (g *generator) comment(t reflect.Type, field string) string {
	text, err := g.comments.of(t, field)
	if err != nil && g.err == nil {
		g.err = err
	}
	return text
}
