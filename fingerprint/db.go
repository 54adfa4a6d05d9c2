package fingerprint

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxText is how much of a text is looked at, in bytes. Recog's examples for the protocols of this module stay below
// 200; patterns that repeat up to 512 times make long texts dear, and a server chooses its text.
const maxText = 1024

// A DB is a set of fingerprints. It doesn't change once it is made, and any number of goroutines may use it. A nil DB
// is empty.
type DB struct {
	kinds map[string]func() []*fingerprint // those of a kind, read when they are first asked for
	next  *DB                              // asked if this one doesn't know
	asked answers
}

// Then returns a DB that asks next for what db doesn't know. Neither of them is changed.
func (db *DB) Then(next *DB) *DB {
	if db == nil {
		return next
	}
	return &DB{kinds: db.kinds, next: db.next.Then(next)}
}

// Kinds returns the kinds of text that db has fingerprints for, sorted.
func (db *DB) Kinds() []string {
	all := map[string]bool{}
	for ; db != nil; db = db.next {
		for kind := range db.kinds {
			all[kind] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Len returns the number of fingerprints.
func (db *DB) Len() int {
	n := 0
	for ; db != nil; db = db.next {
		for _, list := range db.kinds {
			n += len(list())
		}
	}
	return n
}

// Match returns what the first fingerprint of that kind says that matches the text, of which the first 1,024 bytes
// count. It reports false if none does, which costs no allocation.
func (db *DB) Match(kind, text string) (Match, bool) {
	text = cut(text)
	for ; db != nil; db = db.next {
		if m, ok := db.match(kind, text); ok {
			return m, true
		}
	}
	return Match{}, false
}

func (db *DB) match(kind, text string) (Match, bool) {
	list, ok := db.kinds[kind]
	if !ok {
		return Match{}, false
	}
	var buffer [maxText]byte
	folded := newFolded(buffer[:0], text)
	lines := strings.Contains(text, "\n")
	for _, f := range list() {
		if f.near(&folded) {
			if m, ok := f.match(text, lines); ok {
				db.unpack(kind, m)
				return m, true
			}
		}
	}
	return Match{}, false
}

// packageKind is the kind of the texts in which a banner says whose package it is.
const packageKind = "package"

// unpack adds to a match what the name of the package in it tells.
func (db *DB) unpack(kind string, m Match) {
	text, ok := m.Params["service.package"]
	if comment := m.Params["openssh.comment"]; !ok && comment != "" { // what Recog calls it
		text, ok = m.Params["service.product"]+" "+m.Params["service.version"]+" "+comment, true
	}
	if !ok || kind == packageKind {
		return
	}
	whose, _ := db.Match(packageKind, text)
	for name, value := range whose.Params {
		if _, known := m.Params[name]; !known {
			m.Params[name] = value
		}
	}
}

// match matches the text, which has line ends or not.
func (f *fingerprint) match(text string, lines bool) (Match, bool) {
	groups := f.regexp(lines).FindStringSubmatchIndex(text)
	if groups == nil {
		return Match{}, false
	}
	return Match{Name: f.name, Params: f.params.fill(text, groups)}, true
}

// cut returns the part of a text that is looked at, without the rune that the cut goes through.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	n := maxText
	for n > maxText-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
