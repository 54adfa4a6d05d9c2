package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
)

func TestRun(t *testing.T) {
	for _, args := range [][]string{nil, {"testdata/result.json"}} {
		var out strings.Builder
		require.NoError(t, run(t.Context(), args, &out))
		require.Equal(t, `critical ftp.anonymous-writable /evidence/anonymous/listing/entries/2/permissions
high     house.backup-listed    /evidence/anonymous/listing/entries/1/name
medium   ftp.anonymous          /evidence/anonymous/pass_reply
medium   ftp.anonymous-listing  /evidence/anonymous/listing/entries
medium   ftp.cleartext-login    /evidence/cleartext_reply
low      ftp.tls-missing        /evidence/auth_reply
`, out.String())
	}
}

func TestErrors(t *testing.T) {
	var out strings.Builder
	require.Error(t, run(t.Context(), []string{"testdata/none.json"}, &out))
	require.Error(t, run(t.Context(), []string{"main.go"}, &out))
	require.Empty(t, out.String())
}

// The house's opinion is the house's alone.
func TestBuiltInRulesStay(t *testing.T) {
	before := ids(ftp.Rules)
	house := houseRules()
	require.Equal(t, before, ids(ftp.Rules))
	require.Len(t, house, len(ftp.Rules)) // one less, one more
	for _, r := range ftp.Rules {
		require.NotEqual(t, finding.Critical, r.Severity)
	}
}

func ids(rules []finding.Rule) (list []string) {
	for _, r := range rules {
		list = append(list, r.ID)
	}
	return list
}
