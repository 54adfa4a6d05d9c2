//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killTogether has a command that is canceled end with all that it started.
func killTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
