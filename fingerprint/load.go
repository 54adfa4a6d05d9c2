package fingerprint

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// What files may cost, however they are made.
const (
	maxFile         = 8 << 20  // bytes; Recog's largest has 500 KB
	maxFiles        = 32 << 20 // bytes of all files together
	maxFingerprints = 50_000   // Recog has some 5,000
	maxComplaints   = 100
)

// ErrNoFiles is returned by Load if there are no files of fingerprints.
var ErrNoFiles = errors.New("no files of fingerprints: the folder holds no *.xml, nor does a folder xml in it")

// Load reads the fingerprints of the files *.xml in the folder xml, as a checkout of Recog has them, or else of those in
// the root. The order of the files is that of their names.
//
// A fingerprint or a file that can't be used doesn't lose the others: the DB holds all that can, and the error, which
// has an Unwrap() []error, names each of the rest by file, line and pattern. The DB is nil only if there is nothing to
// read: [ErrNoFiles], or the error of fsys.
//
// A file may have 8 MiB, all of them 32 MiB and 50,000 fingerprints, whose patterns together stand for 2 million steps of a
// matcher. What is kept of them is less than 512 MiB of memory, each pattern compiled. What goes beyond is an error as well, and
// so is a file that ends in the middle.
func Load(fsys fs.FS) (*DB, error) {
	db, _, err := load(fsys, false)
	return db, err
}

// An example is a text that a fingerprint matches, and the params that it then gives.
type example struct {
	of     *fingerprint
	place  string // file and line
	text   string
	params map[string]string
}

// load returns the examples as well, if they are wanted.
func load(fsys fs.FS, wanted bool) (*DB, []example, error) {
	names, err := fs.Glob(fsys, "xml/*.xml")
	if err == nil && names == nil {
		names, err = fs.Glob(fsys, "*.xml")
	}
	if err == nil && names == nil {
		_, err = fs.ReadDir(fsys, ".") // which says why, if that is why
		if err == nil {
			err = ErrNoFiles
		}
	}
	if err != nil {
		return nil, nil, err
	}
	l := loader{fsys: fsys, wanted: wanted, kinds: map[string][]*fingerprint{}}
	for _, name := range names {
		err := l.file(name)
		if err != nil {
			l.complain(name, err)
		}
		if errors.Is(err, errTooMuch) {
			break
		}
	}
	if l.unsaid > 0 {
		l.errs = append(l.errs, fmt.Errorf("and %d more", l.unsaid))
	}
	db := &DB{kinds: map[string]func() []*fingerprint{}}
	for kind, list := range l.kinds {
		db.kinds[kind] = func() []*fingerprint { return list }
	}
	return db, l.examples, errors.Join(l.errs...)
}

type loader struct {
	fsys     fs.FS
	wanted   bool // the examples are
	kinds    map[string][]*fingerprint
	examples []example
	errs     []error
	unsaid   int // errors behind the first

	read, fingerprints, steps int
}

// errTooMuch ends the reading of files.
var errTooMuch = errors.New("more than may be read")

func (l *loader) complain(place string, err error) {
	if len(l.errs) == maxComplaints {
		l.unsaid++
		return
	}
	l.errs = append(l.errs, fmt.Errorf("%s: %w", place, err))
}

// fingerprintXML is a fingerprint as a file has it.
type fingerprintXML struct {
	Pattern     string       `xml:"pattern,attr"`
	Flags       string       `xml:"flags,attr"`
	Description string       `xml:"description"`
	Examples    []exampleXML `xml:"example"`
	Params      []struct {
		Name  string `xml:"name,attr"`
		Pos   int    `xml:"pos,attr"`
		Value string `xml:"value,attr"`
	} `xml:"param"`
}

type exampleXML struct {
	Attributes []xml.Attr `xml:",any,attr"`
	Text       string     `xml:",chardata"`
}

// file reads one file. What stands before a place where it isn't XML is kept.
func (l *loader) file(name string) error {
	f, err := l.fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	most := min(maxFile, maxFiles-l.read)
	bounded := &io.LimitedReader{R: f, N: int64(most) + 1}
	defer func() { l.read += most + 1 - int(bounded.N) }()
	d := xml.NewDecoder(bounded)
	kind, inside := kindOf(name), false
	for {
		token, err := d.Token()
		switch {
		case bounded.N <= 0 && most < maxFile:
			return fmt.Errorf("%w: %d bytes of files", errTooMuch, maxFiles)
		case bounded.N <= 0:
			return fmt.Errorf("larger than %d bytes", maxFile)
		case err == io.EOF && inside:
			return nil
		case err == io.EOF:
			return errors.New("no fingerprints")
		case err != nil:
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch {
		case !inside && start.Name.Local == "fingerprints":
			inside = true
			if matches := attribute(start, "matches"); matches != "" {
				kind = matches
			}
		case !inside:
			return fmt.Errorf("the root is <%s>, not <fingerprints>", start.Name.Local)
		case start.Name.Local == "fingerprint":
			line, _ := d.InputPos()
			place := fmt.Sprintf("%s:%d", name, line)
			var x fingerprintXML
			if err := d.DecodeElement(&x, &start); err != nil {
				return fmt.Errorf("fingerprint in line %d: %w", line, err)
			}
			if err := l.add(kind, place, x); errors.Is(err, errTooMuch) {
				return err
			} else if err != nil {
				l.complain(place, err)
			}
		default:
			if err := d.Skip(); err != nil {
				return err
			}
		}
	}
}

// kindOf is the kind of a file that doesn't name one: smtp_ehlo.xml is for smtp.ehlo.
func kindOf(name string) string {
	return strings.Replace(strings.TrimSuffix(path.Base(name), ".xml"), "_", ".", 1)
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (l *loader) add(kind, place string, x fingerprintXML) error {
	f := &fingerprint{
		name:   strings.Join(strings.Fields(x.Description), " "),
		params: params{byName: map[string]param{}, cpe: map[string]cpeTemplate{}},
	}
	groups, steps, err := f.newPattern(x.Pattern, x.Flags)
	if err != nil {
		return err
	}
	l.fingerprints++
	l.steps += steps
	switch {
	case l.fingerprints > maxFingerprints:
		return fmt.Errorf("%w: %d fingerprints", errTooMuch, maxFingerprints)
	case l.steps > maxSteps:
		return fmt.Errorf("%w: patterns of %d steps", errTooMuch, maxSteps)
	}
	for _, p := range x.Params {
		if err := f.params.add(p.Name, p.Value, p.Pos, groups); err != nil {
			return fmt.Errorf("pattern %q: %w", x.Pattern, err)
		}
	}
	l.kinds[kind] = append(l.kinds[kind], f)
	if !l.wanted {
		return nil
	}
	for _, e := range x.Examples {
		parsed, err := l.example(place, e)
		if err != nil {
			l.complain(place, fmt.Errorf("pattern %q: example: %w", x.Pattern, err))
			continue
		}
		parsed.of = f
		l.examples = append(l.examples, parsed)
	}
	return nil
}

// example reads the text of an example: as it stands, in base64, or in a file in the folder of the file's name.
func (l *loader) example(place string, x exampleXML) (example, error) {
	e := example{place: place, text: x.Text, params: map[string]string{}}
	for _, a := range x.Attributes {
		switch a.Name.Local {
		case "_encoding":
			if a.Value != "base64" {
				return e, fmt.Errorf("encoding %q: only base64 is known", a.Value)
			}
			plain, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(x.Text), ""))
			if err != nil {
				return e, err
			}
			e.text = string(plain)
		case "_filename":
			xmlName, _, _ := strings.Cut(place, ":")
			text, err := fs.ReadFile(l.fsys, path.Join(strings.TrimSuffix(xmlName, ".xml"), path.Base(a.Value)))
			if err != nil {
				return e, err
			}
			e.text = string(text)
		default:
			e.params[a.Name.Local] = a.Value
		}
	}
	return e, nil
}
