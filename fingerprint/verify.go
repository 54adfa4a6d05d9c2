package fingerprint

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Verify loads the fingerprints as [Load] does and tries their examples: each must match its own fingerprint and give
// the params that its attributes state. It returns how many examples there are, and an error with an Unwrap() []error
// that names each that fails, and what Load finds wrong. It is for those who write fingerprints.
func Verify(fsys fs.FS) (examples int, err error) {
	db, list, err := load(fsys, true)
	var errs []error
	for _, e := range list {
		if err := db.verify(e); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.place, err))
		}
	}
	return len(list), errors.Join(append(errs, err)...)
}

func (db *DB) verify(e example) error {
	f := e.of
	if folded := newFolded(nil, e.text); !f.near(&folded) {
		return fmt.Errorf("pattern %q: %q holds none of %v", f.pattern, e.text, f.needs)
	}
	m, ok := f.match(e.text, strings.Contains(e.text, "\n"))
	if !ok {
		return fmt.Errorf("pattern %q doesn't match %q", f.pattern, e.text)
	}
	db.unpack("", m)
	for _, name := range slices.Sorted(maps.Keys(e.params)) {
		want := e.params[name]
		if strings.HasSuffix(name, ".cpe23") {
			want = formatted(want)
		}
		if got, known := m.Params[name]; !known || got != want {
			return fmt.Errorf("pattern %q: %q gives the %s %q, not %q", f.pattern, e.text, name, got, want)
		}
	}
	return nil
}

// formatted returns a CPE name as a formatted string; what isn't a CPE name stays as it is.
func formatted(cpe string) string {
	t, err := parseCPE(cpe)
	if err != nil {
		return cpe
	}
	return t.bind(func(pieces []piece) (v string) {
		for _, p := range pieces {
			v += p.text
		}
		return v
	})
}
