package ssh_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/ssh"
)

const transcripts = "testdata/transcripts/"

func TestReplay(t *testing.T) {
	probetest.ReplayAll(t, ssh.Prober{}, transcripts+"*.txt", func(t *testing.T, _ string, r *probe.Result) {
		require.NotEqual(t, probe.OutcomeInternal, r.Outcome)
	})
}
