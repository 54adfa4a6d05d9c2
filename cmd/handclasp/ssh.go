package main

import (
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/ssh"
)

// sshMode is what to ask of SSH beside the usual; empty for nothing.
type sshMode string

const sshGroupExchange sshMode = "gex"

func parseSSH(text string) (sshMode, error) {
	if m := sshMode(text); m == sshGroupExchange {
		return m, nil
	}
	return "", fmt.Errorf("unknown: there is gex")
}

// probers returns them with the knob set.
func (m sshMode) probers(list []probe.Prober) []probe.Prober {
	if m == "" {
		return list
	}
	list = slices.Clone(list)
	for i, p := range list {
		if p, ok := p.(ssh.Prober); ok {
			p.GroupExchange = true
			list[i] = p
		}
	}
	return list
}
