package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/handclasp/handclasp/internal/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	t.Chdir(t.TempDir())
	news, err := lab.OpenNews(t.Context())
	require.NoError(t, err)
	defer news.Close()
	files, err := lab.AnonymousFTP(t.Context())
	require.NoError(t, err)
	defer files.Close()
	last := func(targets ...string) (string, error) {
		var out strings.Builder
		err := run(t.Context(), append([]string{"fleet.db"}, targets...), &out)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		return lines[len(lines)-1], err
	}

	summary, err := last(news.URL)
	require.ErrorIs(t, err, errNew, "the first run: all is new")
	require.Equal(t, "7 new · 0 resolved · 0 unknown · 0 unchanged", summary)
	summary, err = last(news.URL)
	require.NoError(t, err)
	require.Equal(t, "0 new · 0 resolved · 0 unknown · 7 unchanged", summary)

	// One server leaves the list, another is new; then that is closed, which counts the second time.
	summary, err = last(files.URL)
	require.ErrorIs(t, err, errNew)
	require.Regexp(t, regexp.MustCompile(`^[1-9] new · 0 resolved · 0 unknown · 0 unchanged$`), summary)
	require.NoError(t, files.Close())
	summary, err = last(files.URL)
	require.NoError(t, err)
	require.Equal(t, "0 new · 0 resolved · 0 unknown · 0 unchanged", summary)
	summary, err = last(files.URL)
	require.NoError(t, err)
	require.Regexp(t, regexp.MustCompile(`^0 new · [1-9] resolved · 0 unknown · 0 unchanged$`), summary)

	require.NoError(t, os.WriteFile("other.db", []byte("no state, but a text that is long enough to be looked at"), 0o600))
	require.Error(t, run(t.Context(), []string{"other.db", news.URL}, new(strings.Builder)))
}
