package handclasp_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
)

// All I/O goes through a session: a protocol package has no other way to the network or to files.
func TestProtocolsHaveNoWayAround(t *testing.T) {
	allowedBelowNet := []string{"net/netip"} // addresses, no connections
	forbidden := func(path string) bool {
		return path == "net" || strings.HasPrefix(path, "net/") && !slices.Contains(allowedBelowNet, path) ||
			path == "crypto/tls" || path == "os" || strings.HasPrefix(path, "os/") || path == "syscall" ||
			path == "unsafe" || path == "plugin" || strings.HasPrefix(path, "golang.org/x/sys")
	}
	require.True(t, forbidden("net") && forbidden("net/http") && forbidden("os/exec") && !forbidden("net/netip"))
	folders := []string{"detect"}
	for _, p := range handclasp.Probers() {
		folders = append(folders, p.Spec().Protocol)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, "a prober lives in the folder of its name")
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			src, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			require.NoError(t, err)
			for _, imp := range src.Imports {
				path, err := strconv.Unquote(imp.Path.Value)
				require.NoError(t, err)
				require.False(t, forbidden(path), "%s imports %s", file, path)
			}
		}
	}
}

// The packages that a program embeds keep no state that is made or changed behind its back.
func TestNoInitFunctions(t *testing.T) {
	for _, folder := range []string{".", "probe", "finding", "fingerprint", "detect", "dialer", "scan", "report", "report/sarif", "probe/replay", "advisory", "ftp", "smtp", "nntp", "rsync", "netbios", "smb", "ssh"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NotContains(t, string(text), "\nfunc "+"init()", file)
		}
	}
}
