package probe

import (
	"encoding/json"
	"reflect"
	"time"
)

// resultSchema names the JSON form of a Result.
const resultSchema = "handclasp.result/1"

// A Result is all that a probe learned. Its JSON form is a contract: fields are added to it, never renamed.
type Result struct {
	Protocol string
	Target   Target
	Started  time.Time     // UTC, in whole milliseconds
	Elapsed  time.Duration // in whole milliseconds
	Level    Level
	Outcome  Outcome
	Err      error // nil if Outcome is ok
	// Partial names, as JSON pointers into the result, what was asked for and not answered for a reason of the moment:
	// the connection was refused or dropped, the answer didn't come in time, the server turned the question away.
	// "/evidence" is the rest of the conversation. With outcome ok it is empty: every question of the level was answered.
	// It is nil in results that were stored before it existed, which prove nothing gone.
	Partial  []string
	Evidence Evidence // nil only if the prober made none; [RawEvidence] if decoded without its type
	// Software is what the evidence identifies; empty if nothing was looked up.
	Software   []Software
	Transcript Transcript // nil if it was left out
}

// Software is a product that was recognised: a service, or the operating system or device that it runs on, each an entry
// of its own. What isn't known is empty.
type Software struct {
	Vendor  string `json:"vendor"`
	Product string `json:"product"`
	Version string `json:"version"`
	// CPE is the product's name as a formatted string of CPE 2.3 (NISTIR 7695 §6.2), whose part is "a" for a service, "o"
	// for an operating system and "h" for a device.
	CPE    string `json:"cpe"`
	Source string `json:"source"` // the evidence it was recognised by, such as "greeting"
	// Distribution is whose package it is, such as "Debian", "Ubuntu" or "FreeBSD", and PackageRevision what that says of
	// its own changes, such as "2+deb12u5": faults that were mended there without a new version. Empty if not told.
	Distribution    string `json:"distribution"`
	PackageRevision string `json:"package_revision"`
	// Hint is "honeypot" for a product that plays another one to be attacked, and for a text that such products are known
	// to send; else empty.
	Hint string `json:"hint"`
}

// RawEvidence is evidence whose type isn't known to the program that decoded it.
type RawEvidence struct {
	Name string          // the protocol
	JSON json.RawMessage // the evidence object
}

// Protocol returns the protocol's name.
func (r *RawEvidence) Protocol() string {
	if r == nil {
		return ""
	}
	return r.Name
}

// MarshalJSON returns the evidence as it was decoded.
func (r *RawEvidence) MarshalJSON() ([]byte, error) { return r.JSON, nil }

// As returns the evidence with its own type, such as As[*ftp.Evidence](r). It reports false if r has no evidence
// of that type.
func As[E Evidence](r *Result) (e E, ok bool) {
	if r == nil || r.Evidence == nil {
		return e, false
	}
	if e, ok = r.Evidence.(E); ok {
		return e, !isNil(e)
	}
	raw, isRaw := r.Evidence.(*RawEvidence)
	if t := reflect.TypeFor[E](); isRaw && t.Kind() == reflect.Pointer && e.Protocol() == raw.Name {
		decoded := reflect.New(t.Elem()).Interface().(E)
		if json.Unmarshal(raw.JSON, decoded) == nil {
			return decoded, true
		}
	}
	return e, false
}

// isNil reports whether e is a nil pointer, which is no evidence.
func isNil(e Evidence) bool {
	v := reflect.ValueOf(e)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

type errorJSON struct {
	Op      string `json:"op"`
	Message string `json:"message"`
}

const startedFormat = "2006-01-02T15:04:05.000Z07:00"

func describeError(err error) *errorJSON {
	e, ok := err.(*Error)
	if !ok {
		clean, _ := UTF8([]byte(err.Error()))
		return &errorJSON{Op: "probe", Message: clean}
	}
	clean, _ := UTF8([]byte(e.cause().Error()))
	return &errorJSON{Op: e.Op, Message: clean}
}
