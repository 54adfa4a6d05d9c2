package fingerprint

import (
	"embed"
	"io/fs"
	"sync"
)

//go:embed builtin/*.xml
var builtinFiles embed.FS

// Builtin returns the set of fingerprints that is part of this package. It is read at the first call.
func Builtin() *DB { return builtin() }

var builtin = sync.OnceValue(func() *DB {
	db, err := Load(builtinFS())
	if err != nil {
		panic(err) // a test loads it
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
