package probe_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestContact(t *testing.T) {
	for _, c := range []probe.Contact{
		{}, {Host: "scan.example.org"}, {Mail: "abuse+scan@example.org"}, {Host: "scanner", Mail: "a@b"}, {Mail: "handclasp@handclasp.invalid"},
	} {
		require.NoError(t, c.Check(), c)
	}
	for _, c := range []probe.Contact{
		{Host: "scan example.org"}, {Host: "scan.example.org\r\nMAIL FROM:<>"}, {Host: "-scan"}, {Host: "a..b"}, {Host: strings.Repeat("a", 65)},
		{Mail: "abuse"}, {Mail: "@example.org"}, {Mail: "a@"}, {Mail: "a@b c"}, {Mail: "a\n@b"}, {Mail: "a@b\x00"}, {Mail: strings.Repeat("a", 64) + "@b"},
	} {
		require.Error(t, c.Check(), c)
	}
}

// A contact that could end a line is refused before anything is said.
func TestContactIsChecked(t *testing.T) {
	r := probe.Run(t.Context(), script{talk: listen}, probe.Target{Addr: port(t)}, &probe.Options{Contact: probe.Contact{Host: "a\r\nb"}})
	require.Equal(t, probe.OutcomeForbidden, r.Outcome)
	require.ErrorContains(t, r.Err, "contact host")
}
