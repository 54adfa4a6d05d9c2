package probe

import (
	"crypto/x509"
	"errors"
	"net"
	"strings"
)

// A steadyError has the words of an error without what is of one connection alone, so that the same fault reads the same in
// every scan.
type steadyError struct {
	error
	text string
}

func (e *steadyError) Error() string { return e.text }

func (e *steadyError) Unwrap() error { return e.error }

// steady takes our own address and port, and those of a data connection, out of an error of package net.
func steady(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) || op.Source == nil && op.Addr == nil {
		return err
	}
	bare := op.Op
	if op.Err != nil {
		cause := steady(op.Err).Error()
		if bare += ": " + cause; op.Op == "dial" || op.Op == "read" || op.Op == "write" {
			bare = cause
		}
	}
	return &steadyError{err, strings.ReplaceAll(err.Error(), op.Error(), bare)}
}

// trustError says why a chain isn't trusted, without the time at which it was judged.
func trustError(err error) string {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		invalid.Detail = ""
		return strings.TrimSuffix(invalid.Error(), ": ")
	}
	clean, _ := UTF8([]byte(err.Error()))
	return clean
}
