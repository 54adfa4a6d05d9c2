//go:build linux || darwin || netbsd || openbsd

package main

import "syscall"

// mostFiles is how many files the system lets this process have open; 0 if it doesn't say.
func mostFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return limit.Cur
}
