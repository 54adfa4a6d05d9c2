package advisory

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/handclasp/handclasp/finding"
)

// A LifeCycle says until when the releases of products get security updates. The products' names are those of
// https://endoflife.date, such as "debian"; not all of them are there.
type LifeCycle struct {
	products map[string]product
}

type product struct {
	cycles []cycle
	data   finding.Data
}

// A cycle is a line of releases, such as OpenSSH 9.2 or Debian 12.
type cycle struct {
	name   string
	latest string    // its newest version; empty if it isn't told
	end    time.Time // of security updates for everybody; zero: not yet decided
	paid   time.Time // of those that are paid for; zero if there are none
	source string
}

// never is the end of what is said not to have ended.
var never = time.Time{}

//go:embed builtin
var builtinFiles embed.FS

// builtinDate is when the built-in facts were last read through.
const builtinDate = "2026-11-27"

// BuiltinLifeCycle returns the facts that are part of this package: files of endoflife.date's form, written for this
// project, in which each fact has its source.
func BuiltinLifeCycle() *LifeCycle { return builtinLifeCycle() }

var builtinLifeCycle = sync.OnceValue(func() *LifeCycle {
	l := &LifeCycle{products: map[string]product{}}
	files, err := fs.Sub(builtinFiles, "builtin/lifecycle")
	if err == nil {
		err = l.load(files)
	}
	if err != nil {
		panic(err) // a test loads it
	}
	for name, p := range l.products {
		p.data = builtinData
		l.products[name] = p
	}
	return l
})

// LoadLifeCycle reads a directory of endoflife.date's JSON: a file for each product, as debian.json, in the form of
// its API's first or second edition (https://endoflife.date/docs/api/). Products that it hasn't are the built-in ones.
func LoadLifeCycle(dir fs.FS) (*LifeCycle, error) {
	l := &LifeCycle{products: maps.Clone(BuiltinLifeCycle().products)}
	if err := l.load(dir); err != nil {
		return nil, err
	}
	return l, nil
}

// Digest returns the SHA-256 of the names of the products and of the data that each rests on, such as "sha256:9f86…". What is
// built in counts by being that.
func (l *LifeCycle) Digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(l.products)) {
		fmt.Fprintln(h, name, l.products[name].data.Digest)
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil))
}

const maxLifeCycleFile = 4 << 20 // bytes; the largest was 60 KiB

func (l *LifeCycle) load(dir fs.FS) error {
	names, err := fs.Glob(dir, "*.json")
	if err == nil && len(names) == 0 {
		err = errors.New("life cycles: no *.json there")
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		p, err := loadProduct(dir, name)
		if err != nil {
			return fmt.Errorf("life cycle %s: %w", name, err)
		}
		if p.cycles != nil { // the directory's index has none
			l.products[strings.TrimSuffix(path.Base(name), ".json")] = p
		}
	}
	return nil
}

func loadProduct(dir fs.FS, name string) (product, error) {
	f, err := dir.Open(name)
	if err != nil {
		return product{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxLifeCycleFile+1))
	if err != nil {
		return product{}, err
	}
	if len(data) > maxLifeCycleFile {
		return product{}, fmt.Errorf("larger than %d bytes", maxLifeCycleFile)
	}
	source := "https://endoflife.date/" + strings.TrimSuffix(name, ".json")
	cycles, told, err := parseEndOfLife(data, source)
	if err != nil {
		return product{}, err
	}
	if told.IsZero() {
		if info, err := f.Stat(); err == nil {
			told = info.ModTime().UTC()
		}
	}
	return product{cycles, finding.Data{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(data)), Date: told}}, nil
}

// endOfLife1 and endOfLife2 are the editions of endoflife.date's form, as far as they are read here.
type endOfLife1 []struct {
	Cycle    flexible `json:"cycle"`
	Latest   string   `json:"latest"`
	EOL      flexible `json:"eol"`
	Extended flexible `json:"extendedSupport"`
	Link     string   `json:"link"`
}

type endOfLife2 struct {
	Modified time.Time `json:"last_modified"`
	Result   struct {
		Releases []struct {
			Name   string   `json:"name"`
			EOL    flexible `json:"eolFrom"`
			IsEOL  bool     `json:"isEol"`
			EOES   flexible `json:"eoesFrom"`
			Latest struct {
				Name string `json:"name"`
			} `json:"latest"`
		} `json:"releases"`
	} `json:"result"`
}

// listOfProducts is how the files begin that name products and have none.
var listOfProducts = regexp.MustCompile(`^\s*(?:\[\s*"|\{[^{]*"result"\s*:\s*\[)`)

// parseEndOfLife reads a product, and when it was written if it says so.
func parseEndOfLife(data []byte, source string) (cycles []cycle, told time.Time, err error) {
	if listOfProducts.Match(data) {
		return nil, told, nil
	}
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		var first endOfLife1
		if err := json.Unmarshal(data, &first); err != nil {
			return nil, told, err
		}
		for _, c := range first {
			cycles = append(cycles, cycle{string(c.Cycle), c.Latest, c.EOL.date(), c.Extended.date(), cmp.Or(c.Link, source)})
		}
		return cycles, told, nil
	}
	var second endOfLife2
	if err := json.Unmarshal(data, &second); err != nil {
		return nil, told, err
	}
	for _, r := range second.Result.Releases {
		if r.EOL == "" && r.IsEOL {
			r.EOL = "true"
		}
		cycles = append(cycles, cycle{r.Name, r.Latest.Name, r.EOL.date(), r.EOES.date(), source})
	}
	return cycles, second.Modified, nil
}

// flexible is a value that is a date, or yes or no, or a number.
type flexible string

// UnmarshalJSON keeps what is in a string, and other values as they are written.
func (f *flexible) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		if s = string(b); s == "null" {
			s = ""
		}
	}
	*f = flexible(s)
	return nil
}

// date returns the day that is meant: of yes, which says "in the past", the first there is; of no and nothing, never.
func (f flexible) date() time.Time {
	if f == "true" {
		return time.Unix(0, 0).UTC()
	}
	if t, err := time.Parse(time.DateOnly, string(f)); err == nil {
		return t
	}
	return never
}

// end is when security updates end.
type end struct {
	free, paid time.Time // zero: never; zero: not sold
	source     string
	data       finding.Data
	name       string // of the line of releases, such as "OpenSSH 9.2"
	with       string // the release that carried it last, such as "Debian 12"; empty if it ended by itself
}

// later returns the end that comes later, with the later end of what is sold.
func (e end) later(o end) end {
	paid := e.paid
	if o.paid.After(paid) {
		paid = o.paid
	}
	if !e.free.Equal(never) && (o.free.Equal(never) || o.free.After(e.free)) {
		e = o
	}
	e.paid = paid
	return e
}

// of returns when updates for a version of a product end, judged by the youngest of the lines that it may belong to.
func (l *LifeCycle) of(name, version string) (end, bool) {
	p, ok := l.products[name]
	if !ok || version == "" {
		return end{}, false
	}
	var lines []cycle
	switch name {
	case "windows", "windows-server":
		lines = ofBuild(p.cycles, version)
	case "msexchange":
		lines = ofBuildUpTo(p.cycles, version)
	default:
		lines = ofVersion(p.cycles, version)
	}
	if len(lines) == 0 {
		return end{}, false
	}
	var last end
	for i, c := range lines {
		e := end{free: c.end, paid: c.paid, source: c.source, data: p.data, name: c.name}
		if name == "debian" && e.paid.After(e.free) && p.data != builtinData {
			e.free, e.paid = e.paid, never // endoflife.date's extended support of Debian is LTS, which is for everybody
		}
		if i > 0 {
			e = last.later(e)
		}
		last = e
	}
	return last, true
}

// ofVersion returns the line that a version belongs to: the longest name that the version begins with. What is older
// than all lines ended no later than the oldest.
func ofVersion(cycles []cycle, version string) []cycle {
	var best, oldest *cycle
	for i := range cycles {
		c := &cycles[i]
		if within(version, c.name) && (best == nil || len(c.name) > len(best.name)) {
			best = c
		}
		if oldest == nil || compareUpstream(c.name, oldest.name) < 0 {
			oldest = c
		}
	}
	if best == nil && oldest != nil && digit(rune(version[0])) && compareUpstream(version, oldest.name) < 0 {
		best = oldest
	}
	if best == nil {
		return nil
	}
	return []cycle{*best}
}

// within reports whether a version begins with the parts of another one, as 9.2p1 does with 9.2, and 9.20 doesn't.
func within(version, prefix string) bool {
	rest, ok := strings.CutPrefix(version, prefix)
	return ok && prefix != "" && (rest == "" || !digit(rune(rest[0])))
}

// ofBuild returns the lines whose newest version is the build, as several editions of Windows share one.
func ofBuild(cycles []cycle, build string) []cycle {
	return slices.DeleteFunc(slices.Clone(cycles), func(c cycle) bool {
		return c.latest == "" || !within(build, c.latest) && !within(c.latest, build)
	})
}

// ofBuildUpTo returns the line that a build belongs to if lines follow each other in one count of builds: of those of
// its first two numbers the oldest that reaches up to it, or else the youngest.
func ofBuildUpTo(cycles []cycle, build string) []cycle {
	series := firstParts(build, 2)
	lines := slices.DeleteFunc(slices.Clone(cycles), func(c cycle) bool { return series == "" || firstParts(c.latest, 2) != series })
	slices.SortFunc(lines, func(a, b cycle) int { return compareUpstream(a.latest, b.latest) })
	for _, c := range lines {
		if compareUpstream(firstParts(build, strings.Count(c.latest, ".")+1), c.latest) <= 0 {
			return []cycle{c}
		}
	}
	return lines[max(0, len(lines)-1):]
}

// firstParts returns the first n numbers of a version, and nothing if it hasn't got as many but one.
func firstParts(version string, n int) string {
	parts := strings.Split(version, ".")
	if len(parts) < n && len(parts) < 2 {
		return ""
	}
	return strings.Join(parts[:min(n, len(parts))], ".")
}
