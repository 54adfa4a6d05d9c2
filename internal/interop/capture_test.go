package interop_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

var update = flag.Bool("update", false, "write the conversations with real servers into the protocols' testdata/transcripts")

// capture writes a conversation, with -update, as the named transcript of a protocol's package. The address becomes one
// for documentation (RFC 5737), with the port that the service has elsewhere.
func capture(t testing.TB, r *probe.Result, name, server string, port uint16) {
	t.Helper()
	if !*update {
		return
	}
	rec := replay.Record(r, server, time.Now().UTC().Format(time.DateOnly))
	rec.Target.Addr = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), port)
	for i, e := range rec.Transcript {
		if e.Dir == probe.DirOpen && string(e.Data) == r.Target.Addr.String() {
			rec.Transcript[i].Data = []byte(rec.Target.Addr.String())
		}
	}
	path := filepath.Join("..", "..", r.Protocol, "testdata", "transcripts", name+".txt")
	if err := os.WriteFile(path, rec.Format(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// upstream is a package's version without the distribution's parts of it.
func upstream(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok { // the epoch, whose colon Windows wouldn't have in a file's name
		version = rest
	}
	if i := strings.LastIndex(version, "-"); i >= 0 {
		version = version[:i]
	}
	return version
}
