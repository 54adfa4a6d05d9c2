package probe

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handclasp/handclasp/internal/rawjson"
)

// UnmarshalJSON implements [json.Unmarshaler]. The evidence becomes [RawEvidence], which [As] gives its type;
// [Decode] does so at once. The error keeps its operation, outcome and words.
func (r *Result) UnmarshalJSON(data []byte) error {
	decoded, err := Decode(data)
	if err == nil {
		*r = *decoded
	}
	return err
}

// Decode parses a Result and gives its evidence the type that the prober of its protocol states. Evidence of a
// protocol that no prober speaks stays [RawEvidence].
func Decode(data []byte, probers ...Prober) (*Result, error) {
	return DecodeMembers(data, nil, probers...)
}

// DecodeMembers is [Decode] of an object to which [Result.AppendJSON] added members: the value of each is decoded into what
// the Value of its name points to, as package json does, or given to it if that is a func([]byte) error: such a value is not to be
// kept, and isn't checked, but for where it ends. Other members are passed over.
func DecodeMembers(data []byte, members []Member, probers ...Prober) (*Result, error) {
	var (
		r               = new(Result)
		schema, started string
		elapsed         int64
		failed          *errorJSON
		evidence        undecoded
	)
	members = append([]Member{
		{"schema", &schema}, {"protocol", &r.Protocol}, {"target", &r.Target}, {"started", &started}, {"elapsed_ms", &elapsed},
		{"level", &r.Level}, {"outcome", &r.Outcome}, {"error", &failed}, {"partial", &r.Partial}, {"evidence", &evidence},
		{"software", &r.Software}, {"transcript", &r.Transcript},
	}, members...)
	if err := decodeMembers(data, members); err != nil {
		return nil, err
	}
	if schema != resultSchema {
		return nil, fmt.Errorf("schema %q: want %q", schema, resultSchema)
	}
	at, err := time.Parse(startedFormat, started)
	if err != nil {
		return nil, fmt.Errorf("started: %w", err)
	}
	r.Started, r.Elapsed = at.UTC(), time.Duration(elapsed)*time.Millisecond
	if failed != nil {
		r.Err = &Error{Op: failed.Op, Outcome: r.Outcome, Err: errors.New(failed.Message)}
	}
	if err := r.decodeEvidence(evidence, probers); err != nil {
		return nil, err
	}
	return r, nil
}

// undecoded is a part of what is decoded, and isn't checked yet.
type undecoded []byte

// decodeMembers decodes each value once, and passes over none that isn't JSON.
func decodeMembers(data []byte, into []Member) error {
	broken := func(err error) error {
		var whole json.RawMessage
		return cmp.Or(json.Unmarshal(data, &whole), err) // what isn't JSON at all is told as package json tells it
	}
	for m, err := range rawjson.Members(data) {
		if err != nil {
			return broken(err)
		}
		i := slices.IndexFunc(into, func(known Member) bool { return m.Is(known.Name) })
		if i < 0 {
			name, err := m.Name()
			if err != nil {
				return err
			}
			var ignored json.RawMessage
			if err := json.Unmarshal(m.Value, &ignored); err != nil {
				return broken(fmt.Errorf("%s: %w", name, err))
			}
			continue
		}
		if err := decodeMember(m.Value, into[i].Value); err != nil {
			return broken(fmt.Errorf("%s: %w", into[i].Name, err))
		}
	}
	return nil
}

// decodeMember leaves to package json what isn't easily seen.
func decodeMember(from []byte, into any) error {
	switch into := into.(type) {
	case func([]byte) error:
		return into(from)
	case *undecoded:
		if *into != nil {
			return errors.New("twice")
		}
		*into = from
		return nil
	case *string:
		if text, ok := rawjson.Text(from); ok {
			*into = text
			return nil
		}
	case *Outcome:
		if text, ok := rawjson.Text(from); ok {
			*into = Outcome(text)
			return nil
		}
	case *Level:
		if text, ok := rawjson.Text(from); ok {
			return into.UnmarshalText([]byte(text))
		}
	case *[]string:
		if string(from) == "[]" {
			*into = []string{}
			return nil
		}
	case *[]Software:
		if string(from) == "[]" {
			*into = []Software{}
			return nil
		}
	}
	return json.Unmarshal(from, into)
}

func (r *Result) decodeEvidence(raw undecoded, probers []Prober) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	for _, p := range probers {
		if s := p.Spec(); s.Protocol == r.Protocol && s.Evidence != nil {
			e := s.Evidence()
			if err := json.Unmarshal(raw, e); err != nil {
				return fmt.Errorf("evidence of %s: %w", r.Protocol, err)
			}
			r.Evidence, r.Protocol = e, s.Protocol // whose memory all share
			return nil
		}
	}
	e := &RawEvidence{Name: r.Protocol}
	r.Evidence = e
	return json.Unmarshal(raw, &e.JSON)
}
