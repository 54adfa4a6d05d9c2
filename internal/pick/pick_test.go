package pick

import (
	"testing"

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
