//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

// Package filelock keeps files to one process.
package filelock

import (
	"os"
	"syscall"
)

// Lock keeps a file to this process, as long as it is open.
func Lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
