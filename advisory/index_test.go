package advisory_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// debian is OpenSSH as a server on Debian 12 tells it.
func debian(revision string) []probe.Software {
	return []probe.Software{{Product: "OpenSSH", Version: "9.2p1", Distribution: "Debian", PackageRevision: revision}}
}

// of returns the claimed vulnerabilities, each with what mends it.
func of(x *advisory.Index, software []probe.Software) map[string]string {
	found := map[string]string{}
	for _, v := range (advisory.Judge{Index: x}).Judge(advisory.Subject{Software: software, Time: now}) {
		for _, y := range v.Vulnerables {
			found[y.ID] = y.Fixed
		}
	}
	return found
}

func TestRangesOfOSV(t *testing.T) {
	pkg := osvPackage{"Debian:12", "openssh"}
	events := func(list ...string) (events []map[string]string) {
		for i := 0; i < len(list); i += 2 {
			events = append(events, map[string]string{list[i]: list[i+1]})
		}
		return events
	}
	for name, test := range map[string]struct {
		affected []osvAffected
		want     map[string]string // by revision: what mends it; "-" if it isn't affected
	}{
		"mended": {
			[]osvAffected{upTo("Debian:12", "openssh", "1:9.2p1-2+deb12u2")},
			map[string]string{"2": "1:9.2p1-2+deb12u2", "2+deb12u1": "1:9.2p1-2+deb12u2", "2+deb12u2": "-", "2+deb12u10": "-"},
		},
		"not mended": {
			[]osvAffected{upTo("Debian:12", "openssh", "")},
			map[string]string{"2": "", "2+deb12u10": ""},
		},
		"of other versions": {
			[]osvAffected{{Package: pkg, Ranges: []osvRange{{"ECOSYSTEM", events("introduced", "1:9.3p1-1")}}}},
			map[string]string{"2": "-"},
		},
		"twice": {
			[]osvAffected{{Package: pkg, Ranges: []osvRange{{"ECOSYSTEM", events(
				"introduced", "0", "fixed", "1:9.2p1-2+deb12u1", "introduced", "1:9.2p1-2+deb12u3", "fixed", "1:9.2p1-2+deb12u5")}}}},
			map[string]string{"2": "1:9.2p1-2+deb12u1", "2+deb12u2": "-", "2+deb12u3": "1:9.2p1-2+deb12u5", "2+deb12u5": "-"},
		},
		"the last that is affected": {
			[]osvAffected{{Package: pkg, Ranges: []osvRange{{"ECOSYSTEM", events("introduced", "0", "last_affected", "1:9.2p1-2+deb12u2")}}}},
			map[string]string{"2+deb12u2": "", "2+deb12u3": "-"},
		},
		"versions in a list": {
			[]osvAffected{{Package: pkg, Versions: []string{"1:9.2p1-2", "1:9.2p1-2+deb12u3"}}},
			map[string]string{"2": "", "2+deb12u1": "-", "2+deb12u3": ""},
		},
		"two statements that differ": {
			[]osvAffected{upTo("Debian:12", "openssh", "1:9.2p1-2+deb12u4"), upTo("Debian:12", "openssh", "1:9.2p1-2+deb12u2")},
			map[string]string{"2+deb12u1": "1:9.2p1-2+deb12u2", "2+deb12u2": "-"},
		},
		"commits": {
			[]osvAffected{{Package: pkg, Ranges: []osvRange{{"GIT", events("introduced", "0")}}}},
			map[string]string{"2": "-"},
		},
		"unimportant": {
			[]osvAffected{{Package: pkg, Ranges: []osvRange{{"ECOSYSTEM", events("introduced", "0")}}, Specific: map[string]any{"urgency": "unimportant"}}},
			map[string]string{"2": "-"},
		},
		"another package":   {[]osvAffected{upTo("Debian:12", "dropbear", "")}, map[string]string{"2": "-"}},
		"another release":   {[]osvAffected{upTo("Debian:13", "openssh", "")}, map[string]string{"2": "-"}},
		"another ecosystem": {[]osvAffected{upTo("PyPI", "openssh", "")}, map[string]string{"2": "-"}},
		"no version":        {[]osvAffected{upTo("Debian:12", "openssh", "next week")}, map[string]string{"2": "-"}},
	} {
		t.Run(name, func(t *testing.T) {
			// A second vulnerability lets the index know the package, so that the built-in table doesn't decide.
			x := build(t, record("DEBIAN-CVE-2030-0001", test.affected...), record("CVE-2030-0002", upTo("Debian:12", "openssh", "1:1-1")))
			for revision, want := range test.want {
				fixed, ok := of(x, debian(revision))["CVE-2030-0001"]
				if want == "-" {
					assert.False(t, ok, revision)
				} else if assert.True(t, ok, revision) {
					assert.Equal(t, want, fixed, revision)
				}
			}
		})
	}
}

// TestUbuntuPro: of what both sets of a release's data list, both must say that it is there.
func TestUbuntuPro(t *testing.T) {
	x := build(t,
		record("UBUNTU-CVE-2030-0001",
			upTo("Ubuntu:20.04:LTS", "openssh", ""),
			upTo("Ubuntu:Pro:20.04:LTS", "openssh", "1:8.2p1-4ubuntu0.13+esm1")),
		record("UBUNTU-CVE-2030-0002", upTo("Ubuntu:Pro:20.04:LTS", "openssh", "1:8.2p1-4ubuntu0.13+esm2")))
	at := func(revision string) map[string]string {
		return of(x, []probe.Software{{Product: "OpenSSH", Version: "8.2p1", Distribution: "Ubuntu", PackageRevision: revision}})
	}
	assert.Equal(t, map[string]string{
		"CVE-2030-0001": "1:8.2p1-4ubuntu0.13+esm1", "CVE-2030-0002": "1:8.2p1-4ubuntu0.13+esm2",
	}, at("4ubuntu0.13"))
	assert.Equal(t, map[string]string{"CVE-2030-0002": "1:8.2p1-4ubuntu0.13+esm2"}, at("4ubuntu0.13+esm1"))
	assert.Empty(t, at("4ubuntu0.13+esm2"))
}

func TestAlpine(t *testing.T) {
	x := build(t, record("ALPINE-CVE-2030-0001", upTo("Alpine:v3.20", "openssh", "9.7_p1-r4")))
	at := func(revision string) map[string]string {
		return of(x, []probe.Software{{Product: "OpenSSH", Version: "9.7_p1", Distribution: "Alpine 3.20", PackageRevision: revision}})
	}
	assert.Equal(t, map[string]string{"CVE-2030-0001": "9.7_p1-r4"}, at("r3"))
	assert.Empty(t, at("r4"))
}

// TestNotices: a notice names several vulnerabilities and several releases, and not each of them is in each.
func TestNotices(t *testing.T) {
	x := build(t, record("DSA-5724-1", upTo("Debian:12", "openssh", "1:9.2p1-2+deb12u9")))
	assert.NotContains(t, of(x, debian("2+deb12u3")), "DSA-5724-1")
}

func TestWithdrawn(t *testing.T) {
	x := build(t, []byte(`{"id":"CVE-2030-0001","withdrawn":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12",
		"name":"openssh"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}`))
	assert.NotContains(t, of(x, debian("2")), "CVE-2030-0001")
}

const kev = `{"title":"CISA Catalog","dateReleased":"2026-11-24T10:00:00.123Z","vulnerabilities":[
	{"cveID":"CVE-2030-0001","dateAdded":"2026-11-02"},{"cveID":"CVE-2018-15473","dateAdded":"2026-11-03"}]}`

const epss = "#model_version:v2026.03.14,score_date:2026-11-25T00:00:00+0000\ncve,epss,percentile\n" +
	"CVE-2030-0001,0.94321,0.99912\nCVE-2018-15473,0.91000,0.99\n"

// TestFeeds: the catalogue and the scores add to what is known, from the archive of records and packed.
func TestFeeds(t *testing.T) {
	r := record("DEBIAN-CVE-2030-0001", upTo("Debian:12", "openssh", ""))
	r.Severity = []osvSeverity{{"CVSS_V3", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N"}}
	x := build(t, zipped(t, map[string]any{"all/DEBIAN-CVE-2030-0001.json": r, "README": "no record"}), []byte(kev), gzipped(t, epss))
	assert.Equal(t, "2026-11-25T00:00:00Z", x.Date().Format("2006-01-02T15:04:05Z"))
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, x.Digest())
	require.Len(t, x.Sources(), 3)
	assert.Regexp(t, `^osv sha256:[0-9a-f]{64} file0$`, x.Sources()[0])
	assert.Regexp(t, `^kev .* file1$`, x.Sources()[1])
	assert.Regexp(t, `^epss .* file2$`, x.Sources()[2])

	verdicts := advisory.Judge{Index: x}.Judge(advisory.Subject{Software: debian("2"), Time: now})
	require.Len(t, verdicts, 1)
	v := verdicts[0]
	assert.Equal(t, finding.High, v.Severity)
	assert.Equal(t, finding.Claimed, v.Known)
	assert.Equal(t, finding.Data{Digest: x.Digest(), Date: x.Date()}, v.Data)
	require.Len(t, v.Vulnerables, 1)
	w := v.Vulnerables[0]
	assert.Equal(t, "2026-11-02", w.KEV.Format("2006-01-02"))
	assert.InDelta(t, 0.94321, w.EPSS, 1e-9)
	assert.InDelta(t, 3.7, w.Score, 1e-9)
	assert.Equal(t, finding.High, w.Severity, "by CVSS it is low")
	assert.Equal(t, []string{"https://security-tracker.debian.org/tracker/CVE-2030-0001"}, w.References)

	// The built-in table's are enriched as well.
	bare := advisory.Judge{Index: x}.Judge(advisory.Subject{Software: []probe.Software{{Product: "OpenSSH", Version: "7.7p1"}}, Time: now})
	i := len(bare) - 1
	for ; i >= 0 && bare[i].Kind != advisory.Vulnerable; i-- {
	}
	require.GreaterOrEqual(t, i, 0)
	assert.Equal(t, "CVE-2018-15473", bare[i].Vulnerables[0].ID)
	assert.Equal(t, finding.High, bare[i].Severity)
	assert.InDelta(t, 0.91, bare[i].Vulnerables[0].EPSS, 1e-9)
	assert.Equal(t, finding.Data{Digest: x.Digest(), Date: x.Date()}, bare[i].Data, "since the score is the index's")
	exim := advisory.Judge{Index: x}.Judge(advisory.Subject{Software: []probe.Software{{Product: "Exim", Version: "4.91"}}, Time: now})
	for _, v := range exim {
		assert.Equal(t, "built-in", v.Data.Digest, "the index knows nothing of how it is exploited")
	}
}

// TestScoresDates: a file of scores says its day in one of three ways, by the year that it is of.
func TestScoresDates(t *testing.T) {
	for date, want := range map[string]string{
		"2026-11-25T12:55:00Z": "2026-11-25T12:55:00Z", "2022-02-07T00:00:00+0000": "2022-02-07T00:00:00Z", "2025-12-04": "2025-12-04T00:00:00Z",
		"today": "1970-01-01T00:00:00Z",
	} {
		x := build(t, []byte("#model_version:v1,score_date:"+date+"\ncve,epss,percentile\nCVE-2030-0001,0.5,0.9\n"))
		assert.Equal(t, want, x.Date().UTC().Format("2006-01-02T15:04:05Z"), date)
	}
}

func TestSeverityWithoutScore(t *testing.T) {
	for word, want := range map[string]finding.Severity{
		"negligible": finding.Low, "low": finding.Low, "medium": finding.Medium, "high": finding.High, "critical": finding.Critical,
		"not yet assigned": finding.Medium, "": finding.Medium,
	} {
		a := upTo("Debian:12", "openssh", "")
		a.Specific = map[string]any{"urgency": word}
		verdicts := advisory.Judge{Index: build(t, record("CVE-2030-0001", a))}.Judge(advisory.Subject{Software: debian("2"), Time: now})
		if assert.Len(t, verdicts, 1, word) {
			assert.Equal(t, want, verdicts[0].Severity, word)
		}
	}
}

func TestNotAnAdvisory(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":          "",
		"text":             "hello",
		"an empty object":  "{}",
		"half a record":    `{"id":"CVE-2030-0001","affected":[`,
		"affected text":    `{"id":"CVE-2030-0001","affected":"all"}`,
		"a broken archive": "PK\x03\x04 and no more",
		"a broken gzip":    "\x1f\x8b and no more",
		"a day":            `{"vulnerabilities":[{"cveID":"CVE-2030-0001","dateAdded":"yesterday"}]}`,
		"a probability":    "#model_version:v1,score_date:2026-11-25T00:00:00Z\ncve,epss,percentile\nCVE-2030-0001,1.5,1\n",
	} {
		var b advisory.Builder
		assert.Error(t, b.Add(name, strings.NewReader(data), int64(len(data))), name)
	}
}

func TestDiscarded(t *testing.T) {
	var b advisory.Builder
	data, err := json.Marshal(record("CVE-2030-0001", upTo("Debian:12", "openssh", "next week"), upTo("Debian:12", "openssh", "1:1-1")))
	require.NoError(t, err)
	require.NoError(t, b.Add("record", bytes.NewReader(data), int64(len(data))))
	assert.Equal(t, 1, b.Discarded())
}

// TestTooManyBounds: a package that has more versions than places is left out, and nothing else is.
func TestTooManyBounds(t *testing.T) {
	many := osvAffected{Package: osvPackage{"Debian:12", "openssh"}}
	for i := range 40_000 {
		many.Versions = append(many.Versions, fmt.Sprintf("1:9.2p1-%d", i))
	}
	data, err := json.Marshal(record("CVE-2030-0001", many, upTo("Debian:12", "samba", "")))
	require.NoError(t, err)
	var b advisory.Builder
	require.NoError(t, b.Add("record", bytes.NewReader(data), int64(len(data))))
	x, err := advisory.ReadIndex(b.Index())
	require.NoError(t, err)
	assert.Equal(t, 40_000, b.Discarded())
	assert.NotContains(t, of(x, debian("2")), "CVE-2030-0001")
	assert.Contains(t, of(x, []probe.Software{{Product: "Samba", Version: "4.17.12", Distribution: "Debian 12", PackageRevision: "0"}}), "CVE-2030-0001")
}

// TestSameIndex: the same files make the same index.
func TestSameIndex(t *testing.T) {
	list := readShipped(t)
	assert.Equal(t, indexOf(t, list).Digest(), indexOf(t, list).Digest())
}

func zipped(t testing.TB, files map[string]any) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, f := range files {
		w, err := z.Create(name)
		require.NoError(t, err)
		require.NoError(t, json.NewEncoder(w).Encode(f))
	}
	require.NoError(t, z.Close())
	return out.Bytes()
}

func gzipped(t testing.TB, text string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

// smallIndex is an index with something in each section.
func smallIndex(t testing.TB) []byte {
	var b advisory.Builder
	for _, r := range []osv{
		record("DEBIAN-CVE-2030-0001", upTo("Debian:12", "openssh", "1:9.2p1-2+deb12u2"), upTo("Debian:12", "samba", "")),
		record("UBUNTU-CVE-2030-0002", upTo("Ubuntu:22.04:LTS", "openssh", "1:8.9p1-3ubuntu0.10")),
	} {
		data, err := json.Marshal(r)
		require.NoError(t, err)
		require.NoError(t, b.Add(r.ID, bytes.NewReader(data), int64(len(data))))
	}
	return b.Index()
}

// sealed sets the digest of an index, so that what is wrong in it is looked at.
func sealed(index []byte) []byte {
	if len(index) > 48 {
		sum := sha256.Sum256(index[48:])
		copy(index[16:48], sum[:])
	}
	return index
}

func TestBrokenIndex(t *testing.T) {
	good := smallIndex(t)
	_, err := advisory.ReadIndex(bytes.Clone(good))
	require.NoError(t, err)
	require.True(t, advisory.IsIndex(good[:16]))

	for n := range good {
		_, err := advisory.ReadIndex(sealed(bytes.Clone(good[:n])))
		require.ErrorIs(t, err, advisory.ErrIndex, "cut at %d", n)
	}
	_, err = advisory.ReadIndex(sealed(append(bytes.Clone(good), 0)))
	require.ErrorIs(t, err, advisory.ErrIndex)
	_, err = advisory.ReadIndex(append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1))
	require.ErrorIs(t, err, advisory.ErrIndex, "not as the digest says")
}

// FuzzReadIndex: bytes that are read as an index answer any question.
func FuzzReadIndex(f *testing.F) {
	good := smallIndex(f)
	f.Add(good, uint32(60), uint32(1<<31))
	f.Add(good[:64], uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, index []byte, place, value uint32) {
		index = bytes.Clone(index)
		if int(place)+4 <= len(index) {
			binary.LittleEndian.PutUint32(index[place:], value)
		}
		x, err := advisory.ReadIndex(sealed(index))
		if err != nil {
			return
		}
		_, err = json.Marshal(x.Date())
		require.NoError(t, err)
		of(x, debian("2+deb12u1"))
		of(x, []probe.Software{{Product: "Samba", Version: "4.17.12+dfsg", Distribution: "Debian 12", PackageRevision: "0+deb12u1"}})
		of(x, []probe.Software{{Product: "OpenSSH", Version: "8.9p1", Distribution: "Ubuntu", PackageRevision: "3ubuntu0.1"}})
		of(x, []probe.Software{{Product: "OpenSSH", Version: "7.7p1"}})
	})
}

// FuzzBuilder: no file brings the builder down, and what it builds can be read.
func FuzzBuilder(f *testing.F) {
	for _, seed := range []any{
		record("DEBIAN-CVE-2030-0001", upTo("Debian:12", "openssh", "1:9.2p1-2+deb12u2"), upTo("Alpine:v3.20", "openssh", "9.7_p1-r4")),
		[]byte(kev), []byte(epss), gzipped(f, epss),
		zipped(f, map[string]any{"a.json": record("CVE-2030-0001", upTo("Debian:12", "openssh", ""))}),
	} {
		data, ok := seed.([]byte)
		if !ok {
			data, _ = json.Marshal(seed)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var b advisory.Builder
		_ = b.Add("file", bytes.NewReader(data), int64(len(data)))
		x, err := advisory.ReadIndex(b.Index())
		require.NoError(t, err, fmt.Sprintf("%q", data))
		of(x, debian("2+deb12u1"))
	})
}
