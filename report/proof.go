package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/rawjson"
)

// proofsShown is how much of a long basis is written.
const proofsShown = 3

// Proofs returns of each finding, in their order, the evidence that its basis points at, as "greeting: 220 ready"; of a
// long basis the beginning. It is text that a server chose: see [Clean].
func Proofs(r finding.Record) [][]string {
	document := documentOf(r)
	all := make([][]string, len(r.Findings))
	for i, f := range r.Findings {
		all[i] = proofs(document, f)
	}
	return all
}

// proofs are the evidence that a finding's basis points at, as "greeting: 220 ready". Text in them isn't clean.
func proofs(document *document, f finding.Finding) []string {
	var all []string
	for i, pointer := range f.Basis {
		if more := len(f.Basis) - i; i == proofsShown && more > 1 {
			return append(all, fmt.Sprintf("and %d more", more))
		}
		value, err := document.resolve(pointer)
		if err != nil {
			all = append(all, err.Error())
			continue
		}
		all = append(all, pointerName(pointer)+": "+describe(value))
	}
	return all
}

// pointerName makes "/evidence/tls/chain/0/not_after" "tls.chain[0].not_after".
func pointerName(pointer string) string {
	var b strings.Builder
	for i, token := range strings.Split(strings.TrimPrefix(strings.TrimPrefix(pointer, "/"), "evidence/"), "/") {
		token = rawjson.Unescape(token)
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			fmt.Fprintf(&b, "[%s]", token)
		case i == 0:
			b.WriteString(token)
		default:
			b.WriteString("." + token)
		}
	}
	return b.String()
}

// describe puts a JSON value into words: a reply as it came, a list by its members, an object by its name, or as it is.
func describe(value json.RawMessage) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return ""
	}
	switch value[0] {
	case '"':
		s, _ := rawjson.Text(value)
		if s == "" {
			return `""`
		}
		return s
	case '[':
		var list []json.RawMessage
		_ = json.Unmarshal(value, &list)
		if len(list) == 0 {
			return "none"
		}
		words := make([]string, 0, len(list))
		for _, v := range list {
			words = append(words, describe(v))
		}
		return strings.Join(words, ", ")
	case '{':
		return describeObject(value)
	case 'n':
		return "none"
	}
	return string(value)
}

func describeObject(value json.RawMessage) string {
	var o struct {
		Code    *int            `json:"code"`
		Lines   []string        `json:"lines"`
		Entries json.RawMessage `json:"entries"`
		Name    *string         `json:"name"`
		Suffix  string          `json:"suffix"` // of NetBIOS
		Subject *string         `json:"subject"`
	}
	_ = json.Unmarshal(value, &o)
	switch {
	case o.Code != nil && len(o.Lines) > 0:
		words := o.Lines
		if *o.Code != 0 { // a line without one
			words = append([]string{fmt.Sprint(*o.Code, " ", words[0])}, words[1:]...)
		}
		return strings.TrimSpace(strings.Join(words, " / "))
	case o.Entries != nil:
		return describe(o.Entries)
	case o.Name != nil && o.Suffix != "":
		return *o.Name + "<" + o.Suffix + ">"
	case o.Name != nil:
		return *o.Name
	case o.Subject != nil:
		return *o.Subject
	}
	var compact bytes.Buffer
	_ = json.Compact(&compact, value)
	return compact.String()
}
