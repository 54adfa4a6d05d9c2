package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/scan"
)

// listed is a job whose list is of all kinds of lines.
func listed(t *testing.T, s *Scan, list string) *job {
	t.Helper()
	j := &job{scan: s}
	var err error
	j.probers, err = s.probers()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "list")
	require.NoError(t, os.WriteFile(path, []byte(list), 0o600))
	j.inputs, err = os.Open(path)
	require.NoError(t, err)
	t.Cleanup(j.close)
	return j
}

// divide makes the parts of a job.
func divide(t *testing.T, j *job) *partsReader {
	t.Helper()
	f, err := temporary()
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	w := newPartsWriter(f, j.scan.Shards)
	require.NoError(t, scan.Deal(j.lines(t.Context()), j.probers, j.scan.order(scan.Shard{Index: 1, Count: j.scan.Shards}, nil, nil), w.add))
	require.NoError(t, w.close())
	info, err := f.Stat()
	require.NoError(t, err)
	return &partsReader{f, info.Size(), j.scan.Shards}
}

// asked are the endpoints of a shard, each with where it was written, how it is called and its tag.
func asked(t *testing.T, j *job, shard int) map[string]int {
	t.Helper()
	order := j.scan.order(scan.Shard{Index: shard, Count: j.scan.Shards}, nil, nil)
	order.Resolver = new(street)
	seen := map[string]int{}
	for e, err := range scan.Endpoints(t.Context(), j.of(t.Context(), shard), j.probers, order) {
		var bad *scan.InputError
		if errors.As(err, &bad) {
			continue // the coordinator counts it
		}
		require.NoError(t, err)
		seen[fmt.Sprint(e.Target.Addr, e.Target.Name, e.Input.Place, e.Input.Name, e.Input.Tag, e.Prober.Spec().Protocol)]++
	}
	return seen
}

func listOf(r *rand.Rand, lines int) string {
	var b strings.Builder
	for i := range lines {
		switch r.IntN(9) {
		case 0:
			fmt.Fprintf(&b, "192.0.%d.%d/%d\n", r.IntN(256), r.IntN(256), 22+r.IntN(11))
		case 1:
			fmt.Fprintf(&b, "2001:db8::%x:0/%d\n", r.IntN(1<<16), 118+r.IntN(11))
		case 2:
			fmt.Fprintf(&b, "host%d.example\n", r.IntN(lines))
		case 3:
			fmt.Fprintf(&b, "198.51.100.%d,name%d.example,\"a tag, %d\",2121\n", r.IntN(256), i, i)
		case 4:
			fmt.Fprintf(&b, "ftp://203.0.113.%d:2121 # a remark\n", r.IntN(256))
		case 5:
			third := r.IntN(255)
			fmt.Fprintf(&b, "10.%d.%d.250-10.%d.%d.%d\n", i%256, third, i%256, third+1, r.IntN(256))
		case 6:
			b.WriteString("no target:at all\n\n")
		default:
			fmt.Fprintf(&b, "10.%d.%d.%d\n", r.IntN(256), r.IntN(256), r.IntN(256))
		}
	}
	return b.String()
}

// What shards find in their parts is what each finds if it reads all inputs.
func TestPartsHoldAllOfEachShard(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		shards, lines int
		networks      bool
	}{{1, 30, false}, {2, 60, false}, {16, 200, true}, {16, 200, false}, {300, 60, false}, {300, 60, true}, {1024, 20, false}} {
		lines := listOf(r, c.lines)
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			s := small()
			s.Shards, s.Only, s.Spread = c.shards, []string{"ftp", "ssh"}, true
			s.Targets = []string{"192.0.2.0/29", "host.example", "[2001:db8::1]:21"}
			if c.networks {
				s.NetSpacing = 1
			}
			j := listed(t, s, lines)
			var want []map[string]int
			n := 0
			for k := range c.shards {
				want = append(want, asked(t, j, k+1))
				n += len(want[k])
			}
			require.Positive(t, n)
			j.parts = divide(t, j)
			for k := range c.shards {
				require.Equal(t, want[k], asked(t, j, k+1), k+1)
			}
		})
	}
}

// A list with a line for each endpoint is read once by all shards together, and not once by each.
func TestPartsAreReadOnce(t *testing.T) {
	s := small()
	s.Targets, s.Shards = nil, 16
	var list strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&list, "10.0.%d.%d\n", i>>8, i&255)
	}
	j := listed(t, s, list.String())
	j.parts = divide(t, j)
	var places []string
	for k := range s.Shards {
		number := 0
		for in, err := range j.of(t.Context(), k+1) {
			require.NoError(t, err)
			var line int
			_, err = fmt.Sscanf(in.Place, "the list:%d", &line)
			require.NoError(t, err)
			require.Greater(t, line, number)
			number = line
			places = append(places, in.Place)
		}
	}
	require.Len(t, places, 20_000)
	slices.Sort(places)
	require.Len(t, slices.Compact(places), 20_000)
}

// A file that is torn or changed ends a shard with an error, and never with fewer targets.
func TestDamagedParts(t *testing.T) {
	s := small()
	s.Shards = 4
	j := listed(t, s, listOf(rand.New(rand.NewPCG(3, 4)), 3000))
	whole := divide(t, j)
	data := make([]byte, whole.size)
	_, err := whole.f.ReadAt(data, 0)
	require.NoError(t, err)
	count := func(data []byte) (n int, err error) {
		path := filepath.Join(t.TempDir(), "parts")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		for _, bad := range (partsReader{f, int64(len(data)), 4}).part(3) {
			err = errors.Join(err, bad)
			n++
		}
		return n, err
	}
	_, err = count(data)
	require.NoError(t, err)
	for name, damaged := range map[string][]byte{
		"nothing":             {},
		"the table is absent": data[:len(data)-4*endBytes],
		"a piece is far away": slices.Concat(data[:len(data)-4*endBytes], bytes.Repeat([]byte{0x7f}, 4*endBytes)),
		"inputs are long":     slices.Concat(bytes.Repeat([]byte{0xff}, 4096), data[4096:]),
	} {
		_, err := count(damaged)
		require.Error(t, err, name)
	}
}
