package lab

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

// LeakedAddress is the address that the passive mode of [LeakyFTP] names.
const LeakedAddress = "10.0.0.5"

// AnonymousFTP starts an FTP server that anybody may log in to, in cleartext since it has no certificate. It shows a
// few files and a directory whose mode says that anybody may write to it.
func AnonymousFTP(ctx context.Context) (*Server, error) {
	return startFTP(ctx, Neighbour{
		Name: "anonymous-ftp", About: "lets anybody in, and says that anybody may write", Protocol: "ftp",
	}, &ftpDriver{name: "files.lab.test", anonymous: true, incoming: true})
}

// ExpiredFTP starts an FTP server that lets nobody in and wants TLS (AUTH TLS, RFC 4217) before USER, with a
// certificate that expired on [ExpiredOn]. It calls itself an old ProFTPD.
func ExpiredFTP(ctx context.Context, ca *Authority) (*Server, error) {
	n := Neighbour{Name: "expired-ftp", About: "insists on TLS, with a certificate that expired", Protocol: "ftp"}
	return startTLSFTP(ctx, n, ca, ExpiredOn, &ftpDriver{
		name: "old.lab.test", greeting: "ProFTPD 1.3.5 Server (old.lab.test)", required: ftpserver.MandatoryEncryption,
	})
}

// ImplicitFTP starts an FTP server that lets nobody in and speaks TLS from the first byte, with a certificate that ca
// signed: the healthy one.
func ImplicitFTP(ctx context.Context, ca *Authority) (*Server, error) {
	n := Neighbour{
		Name: "implicit-ftps", About: "speaks TLS from the first byte and is well kept", Protocol: "ftp", ImplicitTLS: true,
	}
	return startTLSFTP(ctx, n, ca, validTo, &ftpDriver{name: "safe.lab.test", required: ftpserver.ImplicitEncryption})
}

// LeakyFTP starts an anonymous FTP server behind an address translation that isn't configured: the reply to PASV names
// [LeakedAddress] instead of its own address.
func LeakyFTP(ctx context.Context) (*Server, error) {
	return startFTP(ctx, Neighbour{
		Name: "leaky-ftp", About: "its passive mode names a private address", Protocol: "ftp",
	}, &ftpDriver{name: "inner.lab.test", anonymous: true, publicHost: LeakedAddress})
}

func startTLSFTP(ctx context.Context, n Neighbour, ca *Authority, notAfter time.Time, d *ftpDriver) (*Server, error) {
	cfg, err := ca.server(d.name, notAfter)
	if err != nil {
		return nil, err
	}
	d.tls = cfg
	return startFTP(ctx, n, d)
}

func startFTP(ctx context.Context, n Neighbour, d *ftpDriver) (*Server, error) {
	files, err := archive(d.incoming)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	d.files = files
	return start(ctx, n, func(l net.Listener, t *tracker) error {
		d.conns = t
		d.listener = l
		if d.required == ftpserver.ImplicitEncryption {
			d.listener = tls.NewListener(l, d.tls)
		}
		s := ftpserver.NewFtpServer(d)
		if err := s.Listen(); err != nil {
			return err
		}
		return s.Serve()
	})
}

// archive is a small archive, with a directory for uploads or without. It is read-only, whatever its modes say.
func archive(incoming bool) (afero.Fs, error) {
	files := []struct {
		path, text string
		mode       os.FileMode
	}{
		{"/README", "Files of the lab. Nothing here is of use to anybody.\n", 0o644},
		{"/backup-2019.tar.gz", "not really an archive\n", 0o644},
		{"/pub", "", os.ModeDir | 0o755},
		{"/pub/hello.txt", "Hello.\n", 0o644},
		{"/incoming", "", os.ModeDir | 0o777}, // the last
	}
	if !incoming {
		files = files[:len(files)-1]
	}
	fs := afero.NewMemMapFs()
	at := time.Date(2020, time.March, 14, 15, 9, 0, 0, time.UTC)
	for _, f := range files {
		var err error
		if f.mode.IsDir() {
			err = fs.Mkdir(f.path, f.mode)
		} else {
			err = afero.WriteFile(fs, f.path, []byte(f.text), f.mode)
		}
		if err = errors.Join(err, fs.Chmod(f.path, f.mode)); err != nil {
			return nil, err
		}
	}
	for _, f := range files { // when all is written, since a new file touches its directory
		if err := fs.Chtimes(f.path, at, at); err != nil {
			return nil, err
		}
	}
	return afero.NewReadOnlyFs(fs), nil
}

// ftpDriver is the policy of one FTP server.
type ftpDriver struct {
	name       string
	greeting   string // empty for one that names no software
	listener   net.Listener
	conns      *tracker
	files      afero.Fs
	anonymous  bool
	incoming   bool        // shows a directory that says that anybody may write to it
	tls        *tls.Config // nil if there is no certificate
	required   ftpserver.TLSRequirement
	publicHost string
}

func (d *ftpDriver) GetSettings() (*ftpserver.Settings, error) {
	return &ftpserver.Settings{
		Listener:    d.listener,
		PublicHost:  d.publicHost,
		TLSRequired: d.required,
		// Facts without perm= say nothing of who may write; the modes in LIST do.
		DisableMLSD: true, DisableMLST: true, DisableMFMT: true,
		DisableSite: true, DisableActiveMode: true,
		IdleTimeout: int(idleTime.Seconds()), ConnectionTimeout: 5,
		DefaultTransferType: ftpserver.TransferTypeBinary,
	}, nil
}

func (d *ftpDriver) ClientConnected(ftpserver.ClientContext) (string, error) {
	return cmp.Or(d.greeting, d.name+" FTP server ready"), nil
}

func (d *ftpDriver) ClientDisconnected(ftpserver.ClientContext) {}

func (d *ftpDriver) AuthUser(_ ftpserver.ClientContext, user, _ string) (ftpserver.ClientDriver, error) {
	if d.anonymous && (user == "anonymous" || user == "ftp") {
		return d.files, nil
	}
	return nil, errors.New("login incorrect")
}

func (d *ftpDriver) GetTLSConfig() (*tls.Config, error) {
	if d.tls == nil {
		return nil, errors.New("no certificate is configured")
	}
	return d.tls, nil
}

// WrapPassiveListener lets the server's end reach the data connections too.
func (d *ftpDriver) WrapPassiveListener(l net.Listener) (net.Listener, error) {
	return d.conns.listener(l), nil
}
