package lab

import (
	"context"
	"net"
	"time"

	"github.com/handclasp/handclasp/internal/fakesmb"
)

// OldFiles starts a file server that speaks SMB1 and the first two dialects of SMB 2, neither of which it signs unless
// it is asked to, and tells its names to whoever begins a login. It calls itself an old Samba. It lets nobody in.
func OldFiles(ctx context.Context) (*Server, error) {
	return Serve(ctx, Neighbour{
		Name: "old-files", About: "speaks SMB1 and requires no signatures", Protocol: "smb",
	}, func(c net.Conn) { oldFiles(time.Now()).Handle(c) })
}

// OpenFiles starts a file server that speaks everything of SMB 2 and 3, and lists its shares to nobody.
func OpenFiles(ctx context.Context) (*Server, error) {
	return Serve(ctx, Neighbour{
		Name: "open-files", About: "lists its shares to anybody", Protocol: "smb",
	}, func(c net.Conn) { openFiles(time.Now()).Handle(c) })
}

func openFiles(now time.Time) fakesmb.Server {
	return fakesmb.Server{
		Dialects: []uint16{0x0202, 0x0210, 0x0300, 0x0302, 0x0311}, Signing: 1, Capabilities: 0x45, Token: fakesmb.Mechanisms(fakesmb.NTLM),
		Ciphers: []uint16{2}, SigningAlgorithms: []uint16{1},
		Name: "OPENFILES", Domain: "LAB", DNSName: "openfiles.lab.test", DNSDomain: "lab.test", Time: now,
		Visit: &fakesmb.Visit{
			Flags: 2,
			Shares: []fakesmb.Share{
				{Name: "public", Comment: "For everybody"}, {Name: "backup", Comment: "Nightly"}, {Name: "IPC$", Comment: "Remote IPC", Type: fakesmb.IPC},
			},
		},
	}
}

func oldFiles(now time.Time) fakesmb.Server {
	return fakesmb.Server{
		Dialects: []uint16{0x0202, 0x0210}, Signing: 1, Capabilities: 0x01, Token: fakesmb.Mechanisms(fakesmb.NTLM),
		SMB1: []string{"LANMAN2.1", "NT LM 0.12"}, Security: 3, NativeOS: "Unix", NativeLM: "Samba 4.1.17-Debian", Version: [3]uint16{6, 1, 0},
		Name: "OLDFILES", Domain: "LAB", DNSName: "oldfiles.lab.test", DNSDomain: "lab.test", Time: now,
	}
}
