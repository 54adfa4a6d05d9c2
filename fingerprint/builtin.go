package fingerprint

import (
	"embed"
	"io/fs"
	"sync"
)

//go:embed builtin/*.xml
var builtinFiles embed.FS

// Builtin returns the set of fingerprints that is part of this package. Those of a kind are read when it is first asked
// for.
func Builtin() *DB { return builtin() }

var builtin = sync.OnceValue(func() *DB {
	files := builtinFS()
	names, err := fs.Glob(files, "*.xml")
	if err != nil {
		panic(err) // the pattern is no pattern
	}
	db := &DB{kinds: map[string]func() []*fingerprint{}}
	for _, name := range names {
		db.kinds[kindOf(name)] = sync.OnceValue(func() []*fingerprint {
			l := loader{fsys: files, kinds: map[string][]*fingerprint{}}
			if err := l.file(name); err != nil || l.errs != nil {
				panic(name) // a test loads it
			}
			return l.kinds[kindOf(name)]
		})
	}
	return db
})

func builtinFS() fs.FS {
	sub, err := fs.Sub(builtinFiles, "builtin")
	if err != nil {
		panic(err)
	}
	return sub
}
