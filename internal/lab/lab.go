// Package lab starts small servers inside the process, for the examples and the tests: FTP, mail, news, rsync,
// NetBIOS, SMB and SSH services, some well kept and some with the faults that handclasp looks for.
//
// Every server listens on a free port of 127.0.0.1. None of them keeps anything: files are in memory and read-only,
// no password is ever right, no mail and no article is taken. Certificates are made at the start and live in memory.
// The servers write no log, and closing one closes its connections and waits for its goroutines.
//
// One kind of port is not bound to loopback alone: ftpserverlib opens the port of a passive data connection on every
// address, for as long as the transfer lasts. Whoever comes there from elsewhere is cut off unheard.
package lab

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
)

// A Neighbour describes a server of the lab.
type Neighbour struct {
	Name        string // short and permanent, such as "anonymous-ftp"
	About       string // a phrase that says what is remarkable of it
	Network     string // "tcp", or "udp" for one that is asked by datagrams
	Protocol    string // "ftp", "smtp", "nntp", "rsync", "netbios", "smb" or "ssh"; empty for a server of another kind
	URL         string // such as "ftp://127.0.0.1:40021"; the scheme is "ftps" if TLS is implicit
	ImplicitTLS bool   // TLS is spoken from the first byte
	Addr        netip.AddrPort
}

// A Neighbourhood is a set of running servers.
type Neighbourhood struct {
	ca      *Authority
	servers []*Server
}

// Start starts all of the lab's servers. They stop with Close, or when ctx ends.
func Start(ctx context.Context) (*Neighbourhood, error) {
	ca, err := NewAuthority()
	if err != nil {
		return nil, err
	}
	n := &Neighbourhood{ca: ca}
	for _, start := range []func(context.Context) (*Server, error){
		AnonymousFTP,
		func(ctx context.Context) (*Server, error) { return ExpiredFTP(ctx, ca) },
		func(ctx context.Context) (*Server, error) { return ImplicitFTP(ctx, ca) },
		LeakyFTP,
		CleartextMail,
		func(ctx context.Context) (*Server, error) { return Mail(ctx, ca) },
		OpenNews,
		OpenRsync,
		TalkativeNetBIOS,
		OldFiles,
		OpenFiles,
		PasswordSSH,
	} {
		s, err := start(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start the lab: %w", err), n.Close())
		}
		n.servers = append(n.servers, s)
	}
	return n, nil
}

// Neighbours describes the servers, in the same order at every start.
func (n *Neighbourhood) Neighbours() []Neighbour {
	list := make([]Neighbour, len(n.servers))
	for i, s := range n.servers {
		list[i] = s.Neighbour
	}
	return list
}

// CA returns the roots by which the lab's certificates are trusted.
func (n *Neighbourhood) CA() *x509.CertPool { return n.ca.Pool() }

// CAPEM returns the same root as a PEM file has it.
func (n *Neighbourhood) CAPEM() []byte { return n.ca.PEM() }

// Close stops the servers and returns when nothing of them is left. Closing twice is fine.
func (n *Neighbourhood) Close() error {
	var errs []error
	for _, s := range n.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
