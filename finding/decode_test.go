package finding

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a Decoder remembers of findings is what package json makes of them.
func FuzzDecodeFindings(f *testing.F) {
	const remembered = `"id":"test.open","severity":"low","known":"wire","basis":["/evidence/door"],"items":[{"value":"oak","basis":"/evidence/boards/0"}],"cwe":[306]}`
	for _, array := range []string{
		`[]`, `null`, ` [ ] `, `{}`, `[`, `[{}]`, `[{"key":"k1:a",` + remembered + `]`, `[{"key":"k1:a",` + remembered + `,{"key":"k1:b",` + remembered + `]`,
		`[{"key":"k1:a",` + remembered + `,]`, `[{"key":"k1:a",}]`, `[{"key":"k1:a", }]`, `[{"key":"a\u0062",` + remembered + `]`, `[{"key":"a,b",` + remembered + `]`,
		`[{"key":"k1:a","id":"x","key":"k1:b","severity":"low"}]`, `[{"key":"k1:a","id":"x","\u212aEY":"k1:b","severity":"low"}]`, `[{"key":7,` + remembered + `]`,
		`[{"key":"k1:a","id":"x","severity":"dire"}]`, `[{"id":"x","key":"k1:a"}]`,
	} {
		f.Add([]byte(array))
	}
	f.Fuzz(func(t *testing.T, array []byte) {
		want, refused := decodeFindings(array)
		var d Decoder
		for _, before := range []string{`[]`, `[{"key":"k1:other",` + remembered + `]`, string(array)} {
			_, _ = d.findings([]byte(before)) // that it is refused is seen below
		}
		got, err := d.findings(array)
		if refused != nil {
			require.Equal(t, refused, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, known(want), known(got))
	})
}

// A line like the one before costs no more than its own: no list of a finding is made again.
func TestDecoderSharesWhatFindingsSay(t *testing.T) {
	var d Decoder
	array := func(key string) []byte {
		return []byte(`[{"key":"` + key + `","id":"test.open","severity":"low","known":"seen","basis":["/evidence/door"],"items":[],"references":["RFC 1"]}]`)
	}
	first, err := d.findings(array("k1:a"))
	require.NoError(t, err)
	second, err := d.findings(array("k1:b"))
	require.NoError(t, err)
	require.Equal(t, "k1:a", first[0].Key)
	require.Equal(t, "k1:b", second[0].Key)
	require.Same(t, &first[0].References[0], &second[0].References[0])
	_ = append(first[0].References, "RFC 2") // has a place of its own
	require.Len(t, second[0].References[:cap(second[0].References)], 1)

	for i := range 3 * maxKnown {
		got, err := d.findings([]byte(`[{"key":"k1:a","id":"test.open","severity":"low","detail":"` + string(rune('a'+i%26)) + string(rune('a'+i/26)) + `"}]`))
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.LessOrEqual(t, len(d.known), maxKnown)
	}
}
