package probe

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/handclasp/handclasp/internal/rawjson"
)

// Results are written by appending: through reflection, and through the nested Marshalers, each byte of a transcript
// would be copied and checked five times, which is a third of what a probe costs.

// A Member is a field that a caller adds to a result's JSON object.
type Member struct {
	Name  string
	Value any // written by its method AppendJSON(b []byte) ([]byte, error) if it has one, else by package json
}

type appender interface {
	AppendJSON(b []byte) ([]byte, error)
}

// MarshalJSON implements [json.Marshaler].
func (r *Result) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// AppendJSON appends the result's JSON object to b; members stand before its transcript. If it fails, b is returned as
// it was.
func (r *Result) AppendJSON(b []byte, members ...Member) ([]byte, error) {
	start := len(b)
	b = append(b, `{"schema":"`+resultSchema+`","protocol":`...)
	b = rawjson.AppendString(b, r.Protocol)
	b = append(b, `,"target":`...)
	b = r.Target.appendJSON(b)
	b = append(b, `,"started":"`...)
	b = r.Started.UTC().AppendFormat(b, startedFormat)
	b = append(b, `","elapsed_ms":`...)
	b = strconv.AppendInt(b, r.Elapsed.Milliseconds(), 10)
	b = append(b, `,"level":`...)
	b = rawjson.AppendString(b, r.Level.String())
	b = append(b, `,"outcome":`...)
	b = rawjson.AppendString(b, string(r.Outcome))
	b = append(b, `,"error":`...)
	if r.Err == nil {
		b = append(b, "null"...)
	} else {
		e := describeError(r.Err)
		b = append(b, `{"op":`...)
		b = rawjson.AppendString(b, e.Op)
		b = append(b, `,"message":`...)
		b = rawjson.AppendString(b, e.Message)
		b = append(b, '}')
	}
	if r.Partial != nil {
		b = rawjson.AppendList(append(b, `,"partial":`...), r.Partial, rawjson.AppendString)
	}
	b = append(b, `,"evidence":`...)
	var err error
	if b, err = rawjson.Append(b, r.Evidence); err != nil {
		return b[:start], fmt.Errorf("evidence of %s: %w", r.Protocol, err)
	}
	b = append(b, `,"software":[`...)
	for i := range r.Software {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.Software[i].appendJSON(b)
	}
	b = append(b, ']')
	for _, m := range members {
		b = append(b, ',')
		b = rawjson.AppendString(b, m.Name)
		b = append(b, ':')
		if b, err = m.append(b); err != nil {
			return b[:start], fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	b = append(b, `,"transcript":[`...)
	for i, e := range r.Transcript {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = e.AppendJSON(b); err != nil {
			return b[:start], err
		}
	}
	return append(b, "]}"...), nil
}

func (m Member) append(b []byte) ([]byte, error) {
	switch value := m.Value.(type) {
	case appender:
		return value.AppendJSON(b)
	case string:
		return rawjson.AppendString(b, value), nil
	}
	return rawjson.Append(b, m.Value)
}

func (s *Software) appendJSON(b []byte) []byte {
	for i, m := range [...]struct{ name, value string }{
		{"vendor", s.Vendor}, {"product", s.Product}, {"version", s.Version}, {"cpe", s.CPE}, {"source", s.Source},
		{"distribution", s.Distribution}, {"package_revision", s.PackageRevision}, {"hint", s.Hint},
	} {
		open := ",\""
		if i == 0 {
			open = "{\""
		}
		b = append(append(append(b, open...), m.name...), "\":"...)
		b = rawjson.AppendString(b, m.value)
	}
	return append(b, '}')
}

func (t Target) appendJSON(b []byte) []byte {
	b = append(b, `{"network":`...)
	b = rawjson.AppendString(b, string(t.Network))
	b = append(b, `,"addr":"`...)
	if t.Addr.IsValid() {
		b = t.Addr.AppendTo(b)
	}
	b = append(b, `","name":`...)
	return append(rawjson.AppendString(b, t.Name), '}')
}

// MarshalJSON implements [json.Marshaler].
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil) }

// AppendJSON appends the event's JSON object to b.
func (e Event) AppendJSON(b []byte) ([]byte, error) {
	text, lossy := UTF8(e.Data)
	b = append(b, `{"at_ms":`...)
	b = strconv.AppendInt(b, e.At.Milliseconds(), 10)
	b = append(b, `,"conn":`...)
	b = strconv.AppendInt(b, int64(e.Conn), 10)
	b = append(b, `,"dir":`...)
	b = rawjson.AppendString(b, string(e.Dir))
	b = append(b, `,"text":`...)
	b = rawjson.AppendString(b, text)
	if lossy {
		b = append(b, `,"lossy":true,"base64":"`...)
		b = base64.StdEncoding.AppendEncode(b, e.Data)
		b = append(b, '"')
	}
	if e.Label != "" {
		b = append(b, `,"label":`...)
		b = rawjson.AppendString(b, e.Label)
	}
	if e.TLS != nil {
		seen, err := json.Marshal(e.TLS)
		if err != nil {
			return b, fmt.Errorf("TLS of connection %d: %w", e.Conn, err)
		}
		b = append(b, `,"tls":`...)
		b = append(b, seen...)
	}
	if e.Outcome != "" {
		b = append(b, `,"outcome":`...)
		b = rawjson.AppendString(b, string(e.Outcome))
	}
	return append(b, '}'), nil
}
