package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// CleartextMail starts a mail server that has no certificate and takes passwords (AUTH PLAIN and LOGIN, RFC 4954) in
// cleartext.
func CleartextMail(ctx context.Context) (*Server, error) {
	return startMail(ctx, Neighbour{
		Name: "cleartext-mail", About: "asks for passwords without TLS", Protocol: "smtp",
	}, "mail.lab.test", nil)
}

// Mail starts a mail server that offers STARTTLS (RFC 3207) with a certificate that ca signed, and AUTH only inside
// TLS: the healthy one.
func Mail(ctx context.Context, ca *Authority) (*Server, error) {
	cfg, err := ca.server("mx.lab.test", validTo)
	if err != nil {
		return nil, err
	}
	return startMail(ctx, Neighbour{
		Name: "mail", About: "asks for passwords inside TLS only, and is well kept", Protocol: "smtp",
	}, "mx.lab.test", cfg)
}

func startMail(ctx context.Context, n Neighbour, domain string, cfg *tls.Config) (*Server, error) {
	return start(ctx, n, func(l net.Listener, _ *tracker) error {
		s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{}, nil }))
		s.Domain = domain
		s.TLSConfig = cfg
		s.AllowInsecureAuth = cfg == nil
		s.ErrorLog = log.New(io.Discard, "", 0)
		s.ReadTimeout, s.WriteTimeout = idleTime, idleTime
		s.MaxMessageBytes = 1 << 20
		return s.Serve(l)
	})
}

// mailSession lets nobody in and takes no mail.
type mailSession struct{}

var errNoMail = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "This server takes no mail"}

func (mailSession) AuthMechanisms() []string             { return []string{sasl.Plain, sasl.Login} }
func (mailSession) Auth(string) (sasl.Server, error)     { return nil, smtp.ErrAuthFailed }
func (mailSession) Mail(string, *smtp.MailOptions) error { return errNoMail }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return errNoMail }
func (mailSession) Data(io.Reader) error                 { return errors.New("no mail was announced") }
func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }
