package netbios_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// A bare host is asked on both ports; a scheme or a port picks one, and with it the network.
func TestTargets(t *testing.T) {
	for text, want := range map[string][]string{
		"192.0.2.7":                    {"udp 192.0.2.7:137", "tcp 192.0.2.7:139"},
		"192.0.2.7:137":                {"udp 192.0.2.7:137"},
		"192.0.2.7:139":                {"tcp 192.0.2.7:139"},
		"netbios-ns://192.0.2.7":       {"udp 192.0.2.7:137"},
		"netbios-ns://192.0.2.7:5137":  {"udp 192.0.2.7:5137"},
		"netbios-ssn://192.0.2.7":      {"tcp 192.0.2.7:139"},
		"NETBIOS-SSN://192.0.2.7:5139": {"tcp 192.0.2.7:5139"},
	} {
		var got []string
		for e, err := range scan.Endpoints(t.Context(), scan.Args([]string{text}), []probe.Prober{netbios.Prober{}}, &scan.EndpointOptions{InOrder: true}) {
			require.NoError(t, err)
			got = append(got, string(e.Target.Network)+" "+e.Target.Addr.String())
		}
		require.Equal(t, want, got, text)
	}
}
