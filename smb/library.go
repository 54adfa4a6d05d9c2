package smb

import (
	"context"
	"net/netip"
	"runtime/debug"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"github.com/handclasp/handclasp/internal/lockstep"
	"github.com/handclasp/handclasp/probe"
)

// library is go-smb2 on its way through a session without a user. What it writes is taken from conn, and what it reads
// is put there; it has no other way to the network.
type library struct {
	conn   *lockstep.Conn
	cancel context.CancelFunc
	done   chan learned
}

// learned is what the library made of the session.
type learned struct {
	shares []smb2.ShareInfo
	err    error
}

// creditBalance is how many requests the library may ask to have under way; it has one.
const creditBalance = 16

// startLibrary begins a session with the dialect, of a client that the GUID identifies.
func startLibrary(ctx context.Context, target netip.AddrPort, dialect uint16, guid [16]byte) *library {
	ctx, cancel := context.WithCancel(ctx)
	lib := &library{conn: lockstep.New(target), cancel: cancel, done: make(chan learned, 1)}
	context.AfterFunc(ctx, func() { _ = lib.conn.Close() })
	dialer := &smb2.Dialer{
		MaxCreditBalance: creditBalance,
		Negotiator:       smb2.Negotiator{ClientGuid: guid, SpecifiedDialect: dialect},
		Initiator:        nobody{},
	}
	go func() {
		var l learned
		defer func() {
			if v := recover(); v != nil {
				l.err = &probe.Error{Op: opAnonymous, Outcome: probe.OutcomeInternal, Err: &probe.PanicError{Value: v, Stack: debug.Stack()}}
			}
			_ = lib.conn.Close()
			lib.done <- l
		}()
		l.shares, l.err = listShares(ctx, dialer, lib.conn, target.Addr().Unmap().WithZone("").String())
	}()
	return lib
}

func listShares(ctx context.Context, d *smb2.Dialer, c *lockstep.Conn, host string) ([]smb2.ShareInfo, error) {
	session, err := d.DialConn(ctx, c, host)
	if err != nil {
		return nil, err
	}
	session = session.WithContext(ctx)
	shares, err := session.ListShares()
	_ = session.Logoff()
	return shares, err
}

// patience is how long the library may take to see that its connection is gone.
const patience = 5 * time.Second

// end closes the library's connection, cancels whatever it waits for, also in a finalizer, and waits for it.
func (lib *library) end() learned {
	lib.cancel()
	_ = lib.conn.Close()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case l := <-lib.done:
		return l
	case <-t.C:
		return learned{err: probe.Errorf(opAnonymous, probe.OutcomeInternal, "go-smb2 doesn't return")}
	}
}

// shareTypes are the base types of MS-SRVS §2.2.2.4.
var shareTypes = map[smb2.ShareType]string{
	smb2.ShareTypeDiskTree: "disk", smb2.ShareTypePrintQueue: "printer", smb2.ShareTypeDevice: "device",
	smb2.ShareTypeIPC: "ipc",
}

func sharesOf(infos []smb2.ShareInfo) []Share {
	shares := make([]Share, 0, len(infos))
	for _, i := range infos {
		shares = append(shares, Share{Name: i.Name, Type: shareTypes[i.Type()], Comment: i.Comment})
	}
	return shares
}
