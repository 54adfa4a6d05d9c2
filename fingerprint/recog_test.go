package fingerprint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// recog returns a checkout of Recog, which HANDCLASP_RECOG names.
func recog(t testing.TB) string {
	dir := os.Getenv("HANDCLASP_RECOG")
	if dir == "" {
		t.Skip("HANDCLASP_RECOG names no checkout of Recog")
	}
	return dir
}

// The whole of Recog.
func TestRecog(t *testing.T) {
	dir := recog(t)
	db, err := Load(os.DirFS(dir))
	require.NoError(t, err)
	examples, err := Verify(os.DirFS(dir))
	t.Logf("%d fingerprints of %d kinds, %d examples", db.Len(), len(db.Kinds()), examples)
	require.NoError(t, err)
	require.Greater(t, examples, db.Len())
}

// How many of Recog's examples the built-in set names, which knows nothing of them. If both name a product or a version,
// they agree.
func TestBuiltinAgainstRecog(t *testing.T) {
	dir := recog(t)
	_, list, err := load(os.DirFS(dir), true)
	require.NoError(t, err)
	for file, kind := range map[string]string{
		"ftp_banners.xml": "ftp.banner", "smtp_banners.xml": "smtp.banner", "nntp_banners.xml": "nntp.banner",
		"ssh_banners.xml": "ssh.banner", "smb_native_os.xml": "smb.native_os", "smb_native_lm.xml": "smb.native_lm",
	} {
		var all, named, wrong int
		for _, e := range list {
			if name, _, _ := strings.Cut(filepath.Base(e.place), ":"); name != file {
				continue
			}
			all++
			theirs, _ := e.of.match(e.text, strings.Contains(e.text, "\n"))
			ours, _ := Builtin().Match(kind, e.text)
			products := ours.Software("")
			if len(products) == 0 {
				t.Logf("%s: not named: %q (%v)", kind, e.text, theirs.Software(""))
				continue
			}
			if why := contradiction(products, theirs.Software("")); why != "" {
				wrong++
				t.Logf("%s: %s: %q: %v, not %v", kind, why, e.text, products, theirs.Software(""))
				continue
			}
			named++
		}
		patterns := len(Builtin().kinds[kind]())
		t.Logf("%s: %d examples, %d named (%.1f %%), %d wrong; %d patterns, %d per hundred examples", kind, all, named,
			100*float64(named)/float64(all), wrong, patterns, 100*patterns/all)
		require.GreaterOrEqual(t, 100*named, 85*all, kind)
		require.Zero(t, wrong, kind)
	}
}

// contradiction says how two lists name different things; empty if one of the products, or else one of the vendors, is in
// both.
func contradiction(ours, theirs []probe.Software) string {
	why := "another product"
	for _, a := range ours {
		for _, b := range theirs {
			switch {
			case !overlap(a.Product, b.Product) && !overlap(a.Vendor, b.Vendor):
			case strings.HasPrefix(b.Version, "Service Pack"): // if the version here is the build
				why = ""
			case overlap(a.Product, b.Product) && a.Version != "" && b.Version != "" && !overlap(a.Version, b.Version):
				return "another version"
			default:
				why = ""
			}
		}
	}
	if len(theirs) == 0 {
		return ""
	}
	return why
}

// overlap reports whether one of two names or versions holds the other, but for case and signs.
func overlap(a, b string) bool {
	a, b = letters(a), letters(b)
	return a != "" && b != "" && (strings.Contains(a, b) || strings.Contains(b, a))
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// What a whole Recog costs to load.
func BenchmarkLoadRecog(b *testing.B) {
	dir := recog(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := Load(os.DirFS(dir))
		require.NoError(b, err)
	}
}
