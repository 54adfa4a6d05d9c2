package advisory

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// An Index answers which vulnerabilities a package has. It is safe for concurrent use.
type Index struct {
	digest                      string
	date                        time.Time
	sources                     string
	vulns, pkgs, versions, rows []byte
	text                        []byte
}

// ErrIndex is what [ReadIndex] returns for bytes that aren't an index, or not a whole one.
var ErrIndex = errors.New("not an index of advisories")

// IsIndex reports whether a file that begins with these bytes is meant to be an index.
func IsIndex(b []byte) bool { return strings.HasPrefix(string(b[:min(len(b), len(magic))]), magic) }

// ReadIndex reads what [Builder.Index] made. It keeps b, which mustn't be changed afterwards. All places that the index
// names are checked here, so that no look-up can leave it. The error is an [ErrIndex].
func ReadIndex(b []byte) (*Index, error) {
	if !IsIndex(b) || len(b) < headSize {
		return nil, fmt.Errorf("%w: it doesn't begin as one of this version does", ErrIndex)
	}
	sum := sha256.Sum256(b[bodyAt:])
	if string(sum[:]) != string(b[digestAt:bodyAt]) {
		return nil, fmt.Errorf("%w: its digest is wrong", ErrIndex)
	}
	x := &Index{
		digest: fmt.Sprintf("sha256:%x", sum),
		date:   time.Unix(int64(binary.LittleEndian.Uint64(b[bodyAt:])), 0).UTC(),
	}
	if x.date.Year() < 1970 || x.date.Year() > 9999 {
		return nil, fmt.Errorf("%w: its date is no date", ErrIndex)
	}
	rest, head := b[headSize:], b[bodyAt+8:headSize]
	var sources []byte
	for i, section := range []struct {
		to   *[]byte
		size uint64
	}{{&x.vulns, vulnSize}, {&x.pkgs, pkgSize}, {&x.versions, verSize}, {&x.rows, rowSize}, {&sources, 1}, {&x.text, 1}} {
		n := uint64(at(head, i)) * section.size
		if n > uint64(len(rest)) {
			return nil, fmt.Errorf("%w: it ends early", ErrIndex)
		}
		*section.to, rest = rest[:n:n], rest[n:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: something follows it", ErrIndex)
	}
	x.sources = string(sources)
	if err := x.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	return x, nil
}

// Digest returns the SHA-256 of the data, such as "sha256:9f86…".
func (x *Index) Digest() string { return x.digest }

// Date returns how new the newest of the data is.
func (x *Index) Date() time.Time { return x.date }

// data is what a finding says of the index that it rests on.
func (x *Index) data() finding.Data { return finding.Data{Digest: x.Digest(), Date: x.Date()} }

// Sources returns the files that the index was made of, each with its kind and digest.
func (x *Index) Sources() []string {
	if x.sources == "" {
		return nil
	}
	return strings.Split(x.sources, "\n")
}

// at returns the i-th number in b.
func at(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

// record returns the i-th record of a section.
func record(section []byte, size, i int) []byte { return section[i*size : (i+1)*size] }

// word returns the text that the i-th number of a record names.
func (x *Index) word(rec []byte, i int) []byte {
	from, n := uint64(at(rec, i)), uint64(at(rec, i+1))
	return x.text[from : from+n]
}

func (x *Index) str(rec []byte, i int) string { return string(x.word(rec, i)) }

func (x *Index) hasWord(rec []byte, i int) bool {
	return uint64(at(rec, i))+uint64(at(rec, i+1)) <= uint64(len(x.text))
}

// records returns those of a section that the i-th number of rec and the next name.
func records(section []byte, size int, rec []byte, i int) []byte {
	from, n := int(at(rec, i)), int(at(rec, i+1))
	return section[from*size : (from+n)*size]
}

// check reports what names something outside the index, or isn't in its order.
func (x *Index) check() error {
	vulns, pkgs, versions, rows := len(x.vulns)/vulnSize, len(x.pkgs)/pkgSize, len(x.versions)/verSize, len(x.rows)/rowSize
	for i := range vulns {
		r := record(x.vulns, vulnSize, i)
		switch {
		case !x.hasWord(r, 0) || !x.hasWord(r, 2):
			return errors.New("text is missing")
		case i > 0 && bytes.Compare(x.word(record(x.vulns, vulnSize, i-1), 0), x.word(r, 0)) >= 0:
			return errors.New("vulnerabilities aren't in order")
		case at(r, 4) > 10*scoreScale || at(r, 5)-uint32(finding.Info) > uint32(finding.Critical-finding.Info),
			at(r, 6) > lastDay || at(r, 7) > epssScale:
			return errors.New("a rating is out of its scale")
		}
	}
	for i := range versions {
		if !x.hasWord(record(x.versions, verSize, i), 0) {
			return errors.New("text is missing")
		}
	}
	for i := range rows {
		if r := record(x.rows, rowSize, i); int64(at(r, 0)) >= int64(vulns) {
			return errors.New("a vulnerability is missing")
		}
	}
	for i := range pkgs {
		r := record(x.pkgs, pkgSize, i)
		switch {
		case !x.hasWord(r, 0):
			return errors.New("text is missing")
		case i > 0 && bytes.Compare(x.word(record(x.pkgs, pkgSize, i-1), 0), x.word(r, 0)) >= 0:
			return errors.New("packages aren't in order")
		case uint64(at(r, 2))+uint64(at(r, 3)) > uint64(versions), uint64(at(r, 4))+uint64(at(r, 5)) > uint64(rows):
			return errors.New("a package's records are missing")
		}
	}
	return nil
}

// pkg returns the record of a package of an ecosystem, nil if there is none.
func (x *Index) pkg(ecosystem, name string) []byte {
	return x.search(x.pkgs, pkgSize, ecosystem+packageSep+name)
}

// search returns the record of a section that begins with a name, nil if there is none.
func (x *Index) search(section []byte, size int, name string) []byte {
	key, n := []byte(name), len(section)/size
	i := sort.Search(n, func(i int) bool { return bytes.Compare(x.word(record(section, size, i), 0), key) >= 0 })
	if i == n || !bytes.Equal(x.word(record(section, size, i), 0), key) {
		return nil
	}
	return record(section, size, i)
}

// A match is a vulnerability that an ecosystem knows of a package, by its number.
type match struct {
	vuln     uint32
	affected bool
	fixed    string // the version that ends the range; empty if none does
}

// matches returns what an ecosystem says of a version of a package, by vulnerability. The version is as a server
// tells it.
func (x *Index) matches(ecosystem, name, version string) (list []match, known bool) {
	p := x.pkg(ecosystem, name)
	if p == nil {
		return nil, false
	}
	versions := records(x.versions, verSize, p, 2)
	place, ok := x.place(orderOf(ecosystem), versions, version)
	if !ok {
		return nil, true
	}
	rows := records(x.rows, rowSize, p, 4)
	list = make([]match, 0, len(rows)/rowSize)
	for i := range len(rows) / rowSize {
		r := record(rows, rowSize, i)
		vuln, from, to := at(r, 0), at(r, 1)&math.MaxUint16, at(r, 1)>>16
		if n := len(list); n == 0 || list[n-1].vuln != vuln {
			list = append(list, match{vuln: vuln})
		}
		if from <= place && place < to {
			m := &list[len(list)-1]
			m.affected = true
			// An even place is behind the last affected version: nobody says which mends it.
			if to%2 == 1 && int(to/2) < len(versions)/verSize {
				m.fixed = x.str(record(versions, verSize, int(to/2)), 0)
			}
		}
	}
	return list, true
}

// place returns where a version is among a package's.
func (x *Index) place(o order, versions []byte, version string) (uint32, bool) {
	n := len(versions) / verSize
	nth := func(i int) string { return x.str(record(versions, verSize, i), 0) }
	_, upstream, _ := splitDebian(version)
	for i := range n { // the last has the epoch, another one perhaps the mark
		if w := x.word(record(versions, verSize, i), 0); i == n-1 || bytes.Contains(w, []byte(upstream)) {
			version = asPackaged(version, string(w))
		}
	}
	if !o.valid(version) {
		return 0, false
	}
	i, found := sort.Find(n, func(i int) int { return o.compare(version, nth(i)) })
	if found {
		return uint32(2*i + 1), true
	}
	return uint32(2 * i), true
}

// find returns the vulnerabilities that a version of a package of a release has; known says whether the index knows
// the package. Ubuntu's releases have a second set of data, for those who pay: what both list, both must say.
func (x *Index) find(ecosystem, name, version string) (found []Vulnerability, known bool) {
	if x == nil || name == "" || len(version) > maxVersion {
		return nil, false
	}
	list, known := x.matches(ecosystem, name, version)
	if release, ok := strings.CutPrefix(ecosystem, "ubuntu:"); ok {
		pro, knownPro := x.matches("ubuntu-pro:"+release, name, version)
		list, known = merge(list, pro), known || knownPro
	}
	for _, m := range list {
		if m.affected {
			v := x.vulnerability(record(x.vulns, vulnSize, int(m.vuln)))
			v.Fixed = m.fixed
			found = append(found, v)
		}
	}
	return found, known
}

const maxVersion = 256 // bytes; the longest in Debian has 60

// merge joins what two ecosystems say; both lists are in the order of their vulnerabilities.
func merge(a, b []match) []match {
	if a == nil {
		return b
	}
	for _, m := range b {
		i, ok := slices.BinarySearchFunc(a, m, func(x, y match) int { return int(int64(x.vuln) - int64(y.vuln)) })
		switch {
		case !ok:
			a = slices.Insert(a, i, m)
		case a[i].affected && m.affected && a[i].fixed != "":
		default:
			m.affected = m.affected && a[i].affected
			a[i] = m
		}
	}
	return a
}

// vulnerability returns what a record says.
func (x *Index) vulnerability(r []byte) Vulnerability {
	v := Vulnerability{
		ID: x.str(r, 0), CVSS: x.str(r, 2), Score: float64(at(r, 4)) / scoreScale,
		Severity: finding.Severity(at(r, 5)), EPSS: float64(at(r, 7)) / epssScale,
	}
	if day := at(r, 6); day != 0 {
		v.KEV = time.Unix(int64(day)*secondsADay, 0).UTC()
	}
	return v
}

// enrich adds what the index knows of how a vulnerability of the built-in table is exploited, and reports whether it knows anything
// of that.
func (x *Index) enrich(v *Vulnerability) bool {
	r := x.search(x.vulns, vulnSize, v.ID)
	if r == nil {
		return false
	}
	known := x.vulnerability(r)
	v.EPSS = known.EPSS
	if !known.KEV.IsZero() {
		v.KEV = known.KEV
	}
	if v.CVSS == "" {
		v.CVSS = known.CVSS
	}
	return known.EPSS > 0 || !known.KEV.IsZero()
}
