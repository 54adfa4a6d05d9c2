package fingerprint_test

import (
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
)

// However many files there are, and whatever they hold, what they cost has an end, which is an error.
func TestFilesAreBounded(t *testing.T) {
	blank := file(strings.Repeat(" ", 7<<20))
	many := file(strings.Repeat(`<fingerprint pattern="a"/>`, 50_001))
	for name, test := range map[string]struct {
		files fstest.MapFS
		want  string
		kept  int
	}{
		"bytes": {fstest.MapFS{"a.xml": file(one("a", "", "a")), "b.xml": blank, "c.xml": blank, "d.xml": blank, "e.xml": blank, "f.xml": blank, "g.xml": file(one("g", "", "g"))},
			"f.xml: more than may be read: 33554432 bytes of files", 1},
		"fingerprints": {fstest.MapFS{"a.xml": many, "b.xml": many}, "a.xml: more than may be read: 50000 fingerprints", 50_000},
		"patterns": {fstest.MapFS{"a.xml": file(strings.Repeat(one("(ab){500}x{500}", "", "a"), 1500))},
			"a.xml: more than may be read: patterns of 2097152 steps", 524},
		"half a file":        {fstest.MapFS{"a.xml": {Data: []byte(`<fingerprints matches="x">` + one("a", "", "a") + one("b", "", "b")[:20])}}, "a.xml: XML syntax error", 1},
		"a file without end": {fstest.MapFS{"a.xml": {Data: []byte(`<fingerprints matches="x">` + one("a", "", "a"))}}, "a.xml: XML syntax error", 1},
		"complaints":         {fstest.MapFS{"a.xml": file(one("a", "", "a") + strings.Repeat(one("(", "", "x"), 150))}, "and 50 more", 1},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := fingerprint.Load(test.files)
			require.ErrorContains(t, err, test.want)
			require.LessOrEqual(t, len(strings.Split(err.Error(), "\n")), 101)
			require.Equal(t, test.kept, db.Len())
		})
	}
}

// The most fingerprints that are kept, all of them needed, stay below what the documentation says.
func TestMemoryOfFiles(t *testing.T) {
	var body strings.Builder
	for range 50_000 {
		body.WriteString(`<fingerprint pattern="[a-c]+[d-f]*([g-i])[j-k]?[l-m]{4}"><param pos="1" name="y"/></fingerprint>`)
	}
	files := fstest.MapFS{"a.xml": file(body.String())}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what finalizers kept
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	db, err := fingerprint.Load(files)
	require.NoError(t, err)
	loaded := heap()
	for _, text := range []string{"none", "none\nof them"} {
		_, found := db.Match("test.banner", text)
		require.False(t, found)
	}
	needed := heap()
	t.Logf("%d KiB loaded, %d KiB needed", (loaded-before)>>10, (needed-before)>>10)
	require.Less(t, int64(needed)-int64(before), int64(512<<20))
	runtime.KeepAlive(db)
}
