package smb_test

import (
	"testing"

	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/smb"
)

func TestConform(t *testing.T) {
	probetest.ConformWith(t, smb.Prober{}, probetest.Conformance{Recordings: transcripts + "samba-*-lanman-netbios.txt"})
}
