package fingerprint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each example matches its own fingerprint, and no earlier one takes it away.
func TestBuiltin(t *testing.T) {
	files := builtinFS()
	n, err := Verify(files)
	require.NoError(t, err)
	t.Logf("%d fingerprints of %d kinds, %d examples", Builtin().Len(), len(Builtin().Kinds()), n)

	examples := map[*fingerprint][]example{}
	db, err := load(files, func(f *fingerprint, e example) { examples[f] = append(examples[f], e) })
	require.NoError(t, err)
	for kind, list := range db.kinds {
		for _, f := range list {
			require.NotEmpty(t, examples[f], "%s: %s has no example", kind, f.name)
			for _, e := range examples[f] {
				m, ok := db.Match(kind, e.text)
				require.True(t, ok, e.text)
				require.Equal(t, f.name, m.Name, "%s: %q", e.place, e.text)
			}
		}
	}
}
