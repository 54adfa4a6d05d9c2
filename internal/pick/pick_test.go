package pick

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPorts(t *testing.T) {
	ports, err := Ports([]string{"21", "990", "2121-2123", "21"})
	require.NoError(t, err)
	require.Equal(t, []uint16{21, 990, 2121, 2122, 2123}, ports)
	ports, err = Ports(nil)
	require.NoError(t, err)
	require.Nil(t, ports)
	for _, word := range []string{"0", "70000", "23-21", "ftp", "-21", ""} {
		_, err := Ports([]string{word})
		require.ErrorContains(t, err, "ports are numbers", word)
	}
}

func TestNumbers(t *testing.T) {
	for text, bad := range map[string]func(string) error{
		"0": func(s string) error { _, err := Rate(s); return err }, "1e7": func(s string) error { _, err := Rate(s); return err },
		"90": func(s string) error { _, err := Timeout(s); return err }, "48h": func(s string) error { _, err := Timeout(s); return err },
		"0s": func(s string) error { _, err := Spacing(s); return err }, "5": func(s string) error { _, err := Spacing(s); return err },
		"-1": func(s string) error { _, err := Concurrency(s); return err }, "11": func(s string) error { _, err := Retries(s); return err },
		"a,": func(s string) error { _, err := Words(s); return err }, "b": func(s string) error { _, err := OneOf("a", "c")(s); return err },
	} {
		require.Error(t, bad(text), text)
	}
	d, err := Spacing("500ms")
	require.NoError(t, err)
	require.Equal(t, 500*time.Millisecond, d)
	words, err := Words("ftp, ssh")
	require.NoError(t, err)
	require.Equal(t, []string{"ftp", "ssh"}, words)
	n, err := Retries("0")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestJudges(t *testing.T) {
	for _, c := range []struct {
		only, without []string
		want          bool
	}{
		{nil, nil, true}, {[]string{"ftp"}, nil, true}, {[]string{"ftp."}, nil, true}, {[]string{"ftp.exposed"}, nil, true},
		{[]string{"ft"}, nil, false}, {[]string{"smtp"}, nil, false}, {nil, []string{"ftp.exposed"}, false}, {[]string{"ftp"}, []string{"ftp"}, false},
	} {
		require.Equal(t, c.want, Judges("ftp.exposed", c.only, c.without), "%v, without %v", c.only, c.without)
	}
	require.True(t, Judges("policy.house", []string{"ftp"}, nil), "a policy was chosen itself")
	require.False(t, Judges("policy.house", nil, []string{"policy"}))
}
