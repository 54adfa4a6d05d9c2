package fingerprint_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
)

// The whole of Recog, if HANDCLASP_RECOG names a checkout.
func TestRecog(t *testing.T) {
	dir := os.Getenv("HANDCLASP_RECOG")
	if dir == "" {
		t.Skip("HANDCLASP_RECOG names no checkout of Recog")
	}
	db, err := fingerprint.Load(os.DirFS(dir))
	require.NoError(t, err)
	examples, err := fingerprint.Verify(os.DirFS(dir))
	t.Logf("%d fingerprints of %d kinds, %d examples", db.Len(), len(db.Kinds()), examples)
	require.NoError(t, err)
	require.Greater(t, examples, db.Len())
}

// What a whole Recog costs to load.
func BenchmarkLoadRecog(b *testing.B) {
	dir := os.Getenv("HANDCLASP_RECOG")
	if dir == "" {
		b.Skip("HANDCLASP_RECOG names no checkout of Recog")
	}
	b.ReportAllocs()
	for b.Loop() {
		_, err := fingerprint.Load(os.DirFS(dir))
		require.NoError(b, err)
	}
}
