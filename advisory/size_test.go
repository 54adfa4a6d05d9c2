package advisory_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/probe"
)

// osvSized is an index with as many vulnerabilities, packages and statements as OSV's data of Debian, Ubuntu and Alpine
// have (https://osv-vulnerabilities.storage.googleapis.com/), or a part of that, one in so many: made up, but for its size.
// Debian has some 45,000 records of four releases each, Ubuntu 60,000 of eight; a kernel's are of a hundred packages.
// OpenSSH has 150 in each release.
func osvSized(t testing.TB, part int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	add := func(r osv) {
		w, err := z.Create(r.ID + ".json")
		require.NoError(t, err)
		require.NoError(t, json.NewEncoder(w).Encode(r))
	}
	debian := []string{"Debian:11", "Debian:12", "Debian:13", "Debian:14"}
	ubuntu := []string{"Ubuntu:16.04:LTS", "Ubuntu:18.04:LTS", "Ubuntu:20.04:LTS", "Ubuntu:22.04:LTS", "Ubuntu:24.04:LTS",
		"Ubuntu:26.04:LTS", "Ubuntu:Pro:20.04:LTS", "Ubuntu:Pro:22.04:LTS"}
	statements := func(ecosystems []string, name string) (list []osvAffected) {
		for _, e := range ecosystems {
			list = append(list, upTo(e, name, fmt.Sprintf("1:%d.%dp1-%d+deb12u%d", rnd.IntN(10), rnd.IntN(10), rnd.IntN(5), rnd.IntN(20))))
		}
		return list
	}
	for i := range 45_000 / part {
		name := fmt.Sprintf("package-%d", rnd.IntN(4_000))
		if i < 150 {
			name = "openssh"
		}
		r := record(fmt.Sprintf("DEBIAN-CVE-%d-%d", 2000+i%26, 1000+i), statements(debian, name)...)
		r.Severity = []osvSeverity{{"CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
		add(r)
	}
	for i := range 60_000 / part {
		r := record(fmt.Sprintf("UBUNTU-CVE-%d-%d", 2000+i%26, 1000+i))
		switch {
		case i < 150:
			r.Affected = statements(ubuntu, "openssh")
		case i < 12_000/part:
			for k := range 30 {
				r.Affected = append(r.Affected, statements(ubuntu, fmt.Sprintf("linux-%d", k))...)
			}
		default:
			r.Affected = statements(ubuntu, fmt.Sprintf("package-%d", rnd.IntN(5_000)))
		}
		add(r)
	}
	for i := range 5_000 / part {
		name := fmt.Sprintf("package-%d", rnd.IntN(1_000))
		var list []osvAffected
		for k := range 10 {
			list = append(list, upTo(fmt.Sprintf("Alpine:v3.%d", 12+k), name, fmt.Sprintf("%d.%d.%d-r%d", rnd.IntN(10), rnd.IntN(10), rnd.IntN(10), rnd.IntN(4))))
		}
		add(record(fmt.Sprintf("ALPINE-CVE-%d-%d", 2000+i%26, 1000+i), list...))
	}
	require.NoError(t, z.Close())
	var b advisory.Builder
	require.NoError(t, b.Add("all.zip", bytes.NewReader(archive.Bytes()), int64(archive.Len())))
	return b.Index()
}

// BenchmarkLookup reports what a look-up costs in an index of OSV's size, or one in OSV_PART of that, and how large that is.
func BenchmarkLookup(b *testing.B) {
	part := 1
	if n, err := strconv.Atoi(os.Getenv("OSV_PART")); err == nil {
		part = n
	}
	data := osvSized(b, part)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x, err := advisory.ReadIndex(bytes.Clone(data))
	require.NoError(b, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for name, software := range map[string][]probe.Software{
		"debian": debian("2+deb12u3"),
		"ubuntu": {{Product: "OpenSSH", Version: "8.9p1", Distribution: "Ubuntu", PackageRevision: "3ubuntu0.1"}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var found int
			for b.Loop() {
				verdicts := advisory.Judge{Index: x}.Judge(advisory.Subject{Software: software, Time: now})
				if found = len(verdicts); found == 0 {
					b.Fatal("nothing found")
				}
				found = len(verdicts[0].Vulnerables)
			}
			b.ReportMetric(float64(found), "found")
			b.ReportMetric(float64(len(data))/(1<<20), "file-MiB")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "heap-MiB")
		})
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := advisory.ReadIndex(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
