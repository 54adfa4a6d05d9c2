package advisory

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// The format of an index, all numbers little-endian:
//
//	magic     16 bytes
//	digest    SHA-256 of all that follows
//	date      8 bytes: seconds since 1970, of the newest of the data
//	counts    6 × 4 bytes: vulnerabilities, packages, versions, rows; bytes of sources, bytes of text
//	vulnerabilities, by name  8 × 4 bytes: name, CVSS vector, score in tenths, severity, KEV day, EPSS in 100,000ths
//	packages, by name         6 × 4 bytes: name, first version and how many, first row and how many
//	versions                  2 × 4 bytes: of each package in its order
//	rows                      4 + 2 × 2 bytes: of each package, by vulnerability: which; from which place; up to which
//	sources   text: a line for each file
//	text
//
// A row of which both places are 0 says that the vulnerability is listed and in no version. Text is named by where it
// begins in text, and how long it is. A package's name is its ecosystem's, NUL, its own. A
// place is 2i+1 at the package's version i, and 2i before it.
const (
	magic      = "handclasp-adv\x00\x00\x01"
	digestAt   = len(magic)
	bodyAt     = digestAt + sha256.Size
	headSize   = bodyAt + 8 + 6*4
	vulnSize   = 8 * 4
	pkgSize    = 6 * 4
	verSize    = 2 * 4
	rowSize    = 2 * 4
	epssScale  = 100_000
	scoreScale = 10
	endOfTime  = math.MaxUint16  // the place after all versions
	maxBounds  = endOfTime/2 - 1 // versions of a package that bound ranges; Linux's have some 2,000
	packageSep = "\x00"
)

// A stretch is the versions of a package between two places: none if both are 0.
type stretch struct{ from, to uint32 }

// Index returns the index of what was added. The same files in the same order make the same index.
func (b *Builder) Index() []byte {
	b.init()
	for _, k := range builtinTable() {
		b.vulnerability(k.id, k.cvss, "")
	}
	e := encoder{at: map[string]uint32{}}
	renumbered := e.vulnerabilities(b)
	e.packages(b, renumbered)
	return e.bytes(b)
}

// Discarded returns how many ranges weren't kept because what bounds them isn't a version.
func (b *Builder) Discarded() int { return b.discarded }

// An encoder makes the sections of an index.
type encoder struct {
	vulns, pkgs, versions, rows []byte
	text                        []byte
	at                          map[string]uint32 // where text is
}

// str appends where a text is, and how long it is.
func (e *encoder) str(b []byte, s string) []byte {
	at, ok := e.at[s]
	if !ok {
		at = uint32(len(e.text))
		e.text = append(e.text, s...)
		e.at[s] = at
	}
	return u32(b, at, uint32(len(s)))
}

func u32(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// vulnerabilities writes them in the order of their names and returns what number each has got.
func (e *encoder) vulnerabilities(b *Builder) []uint32 {
	renumbered := make([]uint32, len(b.rated))
	for i, id := range slices.Sorted(maps.Keys(b.vulns)) {
		n := b.vulns[id]
		renumbered[n] = uint32(i)
		v := b.rated[n]
		v.KEV, v.EPSS = b.kev[id], b.epss[id]
		v.rate()
		var day uint32
		if !v.KEV.IsZero() {
			day = uint32(v.KEV.Unix() / secondsADay)
		}
		e.vulns = u32(e.str(e.str(e.vulns, v.ID), v.CVSS), uint32(math.Round(v.Score*scoreScale)), uint32(v.Severity),
			day, uint32(math.Round(v.EPSS*epssScale)))
	}
	return renumbered
}

const (
	secondsADay = 24 * 60 * 60
	lastDay     = 2932896 // since 1970, of the year 9999
)

// packages writes the packages in the order of their names, and what each has.
func (e *encoder) packages(b *Builder, renumbered []uint32) {
	slices.SortFunc(b.rows, func(x, y rawRow) int {
		return cmp.Or(cmp.Compare(x.pkg, y.pkg), cmp.Compare(renumbered[x.vuln], renumbered[y.vuln]), cmp.Compare(x.group, y.group))
	})
	type block struct {
		key  string
		rows []rawRow
	}
	var blocks []block
	for rest := b.rows; len(rest) > 0; {
		n := run(rest, func(r rawRow) uint32 { return r.pkg })
		p := b.order[rest[0].pkg]
		blocks = append(blocks, block{p.ecosystem + packageSep + p.name, rest[:n]})
		rest = rest[n:]
	}
	slices.SortFunc(blocks, func(x, y block) int { return strings.Compare(x.key, y.key) })
	for _, p := range blocks {
		if countBounds(p.rows) > maxBounds {
			b.discarded += len(p.rows)
			continue
		}
		firstVersion, firstRow := len(e.versions)/verSize, len(e.rows)/rowSize
		places := e.order(b, p.rows)
		for rest := p.rows; len(rest) > 0; {
			n := run(rest, func(r rawRow) uint32 { return r.vuln })
			for _, s := range agreed(rest[:n], places) {
				e.rows = u32(e.rows, renumbered[rest[0].vuln], s.from|s.to<<16)
			}
			rest = rest[n:]
		}
		e.pkgs = u32(e.str(e.pkgs, p.key),
			uint32(firstVersion), uint32(len(e.versions)/verSize-firstVersion),
			uint32(firstRow), uint32(len(e.rows)/rowSize-firstRow))
	}
}

// run returns how many rows at the beginning have the same key.
func run(rows []rawRow, key func(rawRow) uint32) int {
	n := slices.IndexFunc(rows, func(r rawRow) bool { return key(r) != key(rows[0]) })
	if n < 0 {
		return len(rows)
	}
	return n
}

// countBounds returns how many versions at most bound the ranges of a package.
func countBounds(rows []rawRow) int {
	names := map[uint32]bool{}
	for _, r := range rows {
		names[r.from], names[r.to] = true, true
	}
	return len(names)
}

// order writes the versions that bound a package's rows, in their order, and returns the place of each by its number.
// Of versions that are equal, as 1.0 and 1.0-0 are, one is written.
func (e *encoder) order(b *Builder, rows []rawRow) map[uint32]uint32 {
	places := map[uint32]uint32{}
	var names []uint32
	for _, r := range rows {
		for _, n := range []uint32{r.from, r.to} {
			if _, ok := places[n]; n != noName && !ok {
				places[n] = 0
				names = append(names, n)
			}
		}
	}
	compare := orderOf(b.order[rows[0].pkg].ecosystem).compare
	slices.SortFunc(names, func(x, y uint32) int {
		return cmp.Or(compare(b.text[x], b.text[y]), strings.Compare(b.text[x], b.text[y]))
	})
	count := uint32(0)
	for i, n := range names {
		if i == 0 || compare(b.text[names[i-1]], b.text[n]) != 0 {
			e.versions = e.str(e.versions, b.text[n])
			count++
		}
		places[n] = 2*count - 1
	}
	return places
}

// agreed returns the places at which all statements about one vulnerability of one package agree that it is there: at
// least one row, which is empty if there is none.
func agreed(rows []rawRow, places map[uint32]uint32) []stretch {
	var all []stretch
	for first := true; len(rows) > 0; first = false {
		n := run(rows, func(r rawRow) uint32 { return r.group })
		var said []stretch
		for _, r := range rows[:n] {
			s := stretch{from: 0, to: endOfTime}
			if r.from != noName {
				s.from = places[r.from]
			}
			if r.to != noName {
				s.to = places[r.to]
			}
			if r.inclusive {
				s.to++
			}
			said = append(said, s)
		}
		if rows = rows[n:]; first {
			all = said
		} else {
			all = intersect(all, said)
		}
	}
	all = slices.DeleteFunc(all, func(s stretch) bool { return s.from >= s.to })
	if len(all) == 0 {
		return []stretch{{}}
	}
	return all
}

func intersect(a, b []stretch) (both []stretch) {
	for _, x := range a {
		for _, y := range b {
			if s := (stretch{from: max(x.from, y.from), to: min(x.to, y.to)}); s.from < s.to {
				both = append(both, s)
			}
		}
	}
	return both
}

func (e *encoder) bytes(b *Builder) []byte {
	var out bytes.Buffer
	out.WriteString(magic)
	out.Write(make([]byte, sha256.Size))
	date := b.newest
	if date.IsZero() {
		date = time.Unix(0, 0)
	}
	sources := strings.Join(b.sources, "\n")
	head := binary.LittleEndian.AppendUint64(nil, uint64(date.Unix()))
	head = u32(head, uint32(len(e.vulns)/vulnSize), uint32(len(e.pkgs)/pkgSize), uint32(len(e.versions)/verSize),
		uint32(len(e.rows)/rowSize), uint32(len(sources)), uint32(len(e.text)))
	for _, section := range [][]byte{head, e.vulns, e.pkgs, e.versions, e.rows, []byte(sources), e.text} {
		out.Write(section)
	}
	sum := sha256.Sum256(out.Bytes()[bodyAt:])
	copy(out.Bytes()[digestAt:], sum[:])
	return out.Bytes()
}
