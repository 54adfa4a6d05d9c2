package advisory

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
)

// Limits on what is read. The largest that were seen in November 2026: a record of 3 MiB, EPSS scores of 12 MiB.
const (
	maxFile    = 128 << 20 // bytes of a file that isn't a zip archive, and of one inside it, unpacked
	maxEntries = 1 << 20   // files in a zip archive
	maxNames   = 1 << 23   // distinct names and versions
	maxRows    = 1 << 24   // vulnerabilities of packages
)

// A Builder makes an index of the files that are added to it. The zero value is an empty one. It keeps all in memory
// while it builds; what it makes is small.
type Builder struct {
	names     map[string]uint32 // packages, versions
	text      []string          // the names, by number
	packages  map[packageName]uint32
	order     []packageName // the packages, by number
	vulns     map[string]uint32
	rated     []Vulnerability // by number; the severity is a distribution's own word, 0 if there is none
	rows      []rawRow
	group     uint32 // of rows that come from one statement
	kev       map[string]time.Time
	epss      map[string]float64
	newest    time.Time
	sources   []string
	discarded int
}

type packageName struct{ ecosystem, name string }

// A rawRow says that the versions of a package between two are affected.
type rawRow struct {
	pkg, vuln, group uint32
	from, to         uint32 // names; noName is before, and after, any
	inclusive        bool
}

const noName = ^uint32(0)

// Add adds a file: an OSV record, a zip archive of them (https://google.github.io/osv.dev/data/), CISA's catalogue as
// JSON or EPSS scores as CSV, the last three gzipped or not. What it is, its content tells. The name is for errors and
// for [Index.Sources].
func (b *Builder) Add(name string, r io.ReaderAt, size int64) error {
	b.init()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	kind, err := b.add(r, size)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.sources = append(b.sources, fmt.Sprintf("%s sha256:%x %s", kind, sum.Sum(nil), strings.Join(strings.Fields(path.Base(name)), " ")))
	return nil
}

func (b *Builder) init() {
	if b.names == nil {
		b.names, b.packages, b.vulns = map[string]uint32{}, map[packageName]uint32{}, map[string]uint32{}
		b.kev, b.epss = map[string]time.Time{}, map[string]float64{}
	}
}

func (b *Builder) add(r io.ReaderAt, size int64) (kind string, err error) {
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil && err != io.EOF {
		return "", err
	}
	if string(magic[:]) == "PK\x03\x04" {
		return "osv", b.addZip(r, size)
	}
	data, err := readAll(io.NewSectionReader(r, 0, size))
	if err == nil && bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(data)); err == nil {
			data, err = readAll(z)
		}
	}
	if err != nil {
		return "", err
	}
	return b.addPlain(data)
}

// readAll reads what is not larger than a file may be.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("larger than %d bytes", maxFile)
	}
	return data, err
}

var errUnknown = errors.New("neither OSV, nor KEV, nor EPSS")

func (b *Builder) addPlain(data []byte) (kind string, err error) {
	data = bytes.TrimSpace(data)
	switch {
	case bytes.HasPrefix(data, []byte("#model_version")), bytes.HasPrefix(data, []byte("cve,epss")):
		return "epss", b.addEPSS(data)
	case !bytes.HasPrefix(data, []byte("{")):
		return "", errUnknown
	}
	var head struct {
		ID              string          `json:"id"`
		Vulnerabilities json.RawMessage `json:"vulnerabilities"`
	}
	switch err := json.Unmarshal(data, &head); {
	case err != nil:
		return "", err
	case head.Vulnerabilities != nil:
		return "kev", b.addKEV(data)
	case head.ID != "":
		return "osv", b.addOSV(data)
	}
	return "", errUnknown
}

func (b *Builder) addZip(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return err
	}
	if len(z.File) > maxEntries {
		return fmt.Errorf("more than %d files", maxEntries)
	}
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		if err := b.addZipped(f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func (b *Builder) addZipped(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := readAll(r)
	if err != nil {
		return err
	}
	return b.addOSV(data)
}

// seen notes a time that the data carries; the newest becomes the index's date.
func (b *Builder) seen(t time.Time) {
	if t.After(b.newest) {
		b.newest = t
	}
}

// vulnerability returns the number of a vulnerability. Of several opinions on it the newest version of CVSS counts, and
// the most severe word.
func (b *Builder) vulnerability(id, cvss, word string) uint32 {
	n, ok := b.vulns[id]
	if !ok {
		n = uint32(len(b.rated))
		b.vulns[id] = n
		b.rated = append(b.rated, Vulnerability{ID: id})
	}
	v := &b.rated[n]
	if cvss != "" && (v.CVSS == "" || newerCVSS(cvss, v.CVSS) || !newerCVSS(v.CVSS, cvss) && cvss > v.CVSS) {
		v.CVSS = cvss
	}
	if word != "" {
		v.Severity = max(v.Severity, severityOf(word))
	}
	return n
}

// affects adds a statement: the versions in spans of a package have the vulnerability, and no others.
func (b *Builder) affects(eco ecosystem, name string, vuln uint32, spans []span) error {
	if len(b.rows) > maxRows || len(b.text) > maxNames {
		return fmt.Errorf("more than %d vulnerabilities of packages, or %d names", maxRows, maxNames)
	}
	key := packageName{eco.key, name}
	pkg, ok := b.packages[key]
	if !ok {
		pkg = uint32(len(b.order))
		b.packages[key] = pkg
		b.order = append(b.order, key)
	}
	b.group++
	for _, s := range spans {
		if (s.from != "0" && !eco.order.valid(s.from)) || (s.to != "" && !eco.order.valid(s.to)) {
			b.discarded++
			continue
		}
		row := rawRow{pkg: pkg, vuln: vuln, group: b.group, from: noName, to: noName, inclusive: s.inclusive}
		if s.from != "0" {
			row.from = b.name(s.from)
		}
		if s.to != "" {
			row.to = b.name(s.to)
		}
		b.rows = append(b.rows, row)
	}
	return nil
}

// name returns the number of a name.
func (b *Builder) name(s string) uint32 {
	n, ok := b.names[s]
	if !ok {
		n = uint32(len(b.text))
		s = strings.Clone(s)
		b.names[s] = n
		b.text = append(b.text, s)
	}
	return n
}
