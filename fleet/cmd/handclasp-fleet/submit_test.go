package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPorts(t *testing.T) {
	ports, err := parsePorts([]string{"21", "990", "2121-2123", "21"})
	require.NoError(t, err)
	require.Equal(t, []uint16{21, 990, 2121, 2122, 2123}, ports)
	ports, err = parsePorts(nil)
	require.NoError(t, err)
	require.Nil(t, ports)
	for _, word := range []string{"0", "70000", "23-21", "ftp", "-21", ""} {
		_, err := parsePorts([]string{word})
		require.ErrorContains(t, err, "ports are numbers", word)
	}
}
