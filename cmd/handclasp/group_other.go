//go:build !unix

package main

import "os/exec"

// killTogether has a command that is canceled end alone: there are no groups of processes here.
func killTogether(*exec.Cmd) {}
