package fingerprint_test

import (
	"os"
	"strings"
	"testing"

	"github.com/handclasp/handclasp/fingerprint"
)

var lookups = []struct {
	name, kind, text string
	hit              bool
}{
	{"hit", "ftp.banner", "(vsFTPd 3.0.3)", true},
	{"hit-late", "ftp.banner", "Cerberus FTP Server - Home Edition", true},
	{"hit-ssh", "ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u3", true},
	{"miss", "ftp.banner", "Welcome to files.example.net, please behave", false},
	{"miss-lines", "ftp.banner", strings.Repeat("Welcome to files.example.net, please behave\n", 20), false},
	{"miss-near", "ftp.banner", "bftpd Serv-U FTP FileZilla pyftpdlib MikroTik glftp", false},
	{"miss-kind", "none", "hello", false},
}

func BenchmarkMatch(b *testing.B) {
	db := fingerprint.Builtin()
	for _, l := range lookups {
		b.Run(l.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := db.Match(l.kind, l.text); ok != l.hit {
					b.Fatal(ok)
				}
			}
		})
	}
}

// A miss is what most look-ups are.
func TestMissAllocatesNothing(t *testing.T) {
	db := fingerprint.Builtin()
	for _, l := range lookups {
		if l.hit {
			continue
		}
		// Package regexp keeps its machines in a pool, which the collector and the race detector empty as they like.
		least := 1.0
		for range 100 {
			least = min(least, testing.AllocsPerRun(1, func() { db.Match(l.kind, l.text) }))
		}
		if least > 0 {
			t.Errorf("%s: %v allocations", l.name, least)
		}
	}
}

// What the first look-up of a program costs.
func BenchmarkLoadBuiltin(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fingerprint.Load(os.DirFS("builtin")); err != nil {
			b.Fatal(err)
		}
	}
}
