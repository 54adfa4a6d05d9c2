package fingerprint_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

// What a banner names is the same when it is heard again, after more others than are remembered, too.
func TestSoftwareIsNamedAlikeAgain(t *testing.T) {
	db := fingerprint.Builtin()
	named := func(software string) []probe.Software {
		return db.Software(&probe.Result{Protocol: "ssh", Evidence: &ssh.Evidence{Banner: "SSH-2.0-" + software, Software: software}})
	}
	first := named("OpenSSH_9.2p1")
	require.Equal(t, "9.2p1", first[0].Version)
	for n := range 1000 {
		software := fmt.Sprintf("OpenSSH_%d.%dp1", n/10, n%10)
		require.Equal(t, fmt.Sprintf("%d.%dp1", n/10, n%10), named(software)[0].Version)
		require.Equal(t, first, named("OpenSSH_9.2p1"))
	}
	require.Equal(t, first, named("OpenSSH_9.2p1"))
}
