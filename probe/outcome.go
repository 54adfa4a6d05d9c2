package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// An Outcome says how a probe ended. The set is closed.
type Outcome string

// The outcomes.
const (
	OutcomeOK          Outcome = "ok"           // the conversation came to its end
	OutcomeBusy        Outcome = "busy"         // the server says: not now, such as FTP's 421 or rsync's max connections
	OutcomeDenied      Outcome = "denied"       // the server says: not you, such as a 554 greeting or a denied address
	OutcomeRefused     Outcome = "refused"      // the host answered that the port is closed
	OutcomeUnreachable Outcome = "unreachable"  // no way to the host, or the dialer couldn't reach it
	OutcomeTimeout     Outcome = "timeout"      // the server kept silent for longer than the limits or the caller allow
	OutcomeCanceled    Outcome = "canceled"     // the caller's context was canceled
	OutcomeClosed      Outcome = "closed"       // the server ended the connection in the middle of the conversation
	OutcomeTLS         Outcome = "tls"          // a TLS handshake failed, or what came later inside TLS was broken
	OutcomeNotProtocol Outcome = "not_protocol" // what answered speaks something else
	OutcomeMalformed   Outcome = "malformed"    // it speaks the protocol, but breaks its rules
	OutcomeLimit       Outcome = "limit"        // it sent more, or took longer, than the limits allow
	OutcomeForbidden   Outcome = "forbidden"    // the guard, or the session, refused to do it
	OutcomeInternal    Outcome = "internal"     // a fault on our side: a panic, no file descriptors left
)

// Answered reports whether a part of a conversation that ended so had its answer, if a bad one: the server speaks
// something else, breaks the protocol's rules, fails at TLS, or was asked nothing because the session forbids it. What
// ended otherwise was asked for and may be answered another time.
func (o Outcome) Answered() bool {
	switch o {
	case OutcomeOK, OutcomeTLS, OutcomeNotProtocol, OutcomeMalformed, OutcomeForbidden:
		return true
	}
	return false
}

// Sentinels, one for each outcome but ok: errors.Is(err, probe.ErrTimeout).
var (
	ErrBusy        = errors.New("the server is busy")
	ErrDenied      = errors.New("the server turns this client away")
	ErrRefused     = errors.New("connection refused")
	ErrUnreachable = errors.New("unreachable")
	ErrTimeout     = errors.New("timed out")
	ErrCanceled    = errors.New("canceled")
	ErrClosed      = errors.New("closed by the server")
	ErrTLS         = errors.New("TLS failed")
	ErrNotProtocol = errors.New("not this protocol")
	ErrMalformed   = errors.New("malformed reply")
	ErrLimit       = errors.New("limit reached")
	ErrForbidden   = errors.New("forbidden")
	ErrInternal    = errors.New("internal error")
)

var sentinels = map[Outcome]error{
	OutcomeBusy: ErrBusy, OutcomeDenied: ErrDenied, OutcomeRefused: ErrRefused, OutcomeUnreachable: ErrUnreachable, OutcomeTimeout: ErrTimeout,
	OutcomeCanceled: ErrCanceled, OutcomeClosed: ErrClosed, OutcomeTLS: ErrTLS, OutcomeNotProtocol: ErrNotProtocol,
	OutcomeMalformed: ErrMalformed, OutcomeLimit: ErrLimit, OutcomeForbidden: ErrForbidden, OutcomeInternal: ErrInternal,
}

// An Error is every error that a session returns, and that a prober should return. It matches its outcome's sentinel
// and unwraps to its cause.
type Error struct {
	Op      string  // what was being done: "dial", "read", "send", "tls", or a step of the protocol such as "greeting"
	Outcome Outcome // never ok
	Err     error   // the cause; nil if the outcome says it all
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v", e.Op, e.cause())
}

func (e *Error) cause() error {
	if e.Err != nil {
		return e.Err
	}
	if s, ok := sentinels[e.Outcome]; ok {
		return s
	}
	return ErrInternal
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the sentinel of e's outcome.
func (e *Error) Is(target error) bool { return target != nil && sentinels[e.Outcome] == target }

// Errorf returns an [*Error] whose cause is formatted as by [fmt.Errorf].
func Errorf(op string, o Outcome, format string, args ...any) *Error {
	return &Error{Op: op, Outcome: o, Err: fmt.Errorf(format, args...)}
}

// OutcomeOf returns the outcome that an error of a probe stands for: ok for nil, internal for an error that no
// session made.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeOK
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		if _, known := sentinels[e.Outcome]; !known {
			return OutcomeInternal
		}
		return e.Outcome
	case errors.Is(err, context.Canceled):
		return OutcomeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return OutcomeTimeout
	default:
		return OutcomeInternal
	}
}

// ioOutcome classifies what the operating system, a dialer or crypto/tls returned, all but the session's own limits
// and the context's end, which come first. Anything it doesn't know gets fallback.
func ioOutcome(err error, fallback Outcome) Outcome {
	var netErr net.Error
	switch {
	case errors.Is(err, ErrForbidden):
		return OutcomeForbidden
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS),
		errors.Is(err, syscall.ENOMEM):
		return OutcomeInternal // says nothing of the host
	case errors.Is(err, syscall.ECONNREFUSED):
		return OutcomeRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN),
		errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EADDRNOTAVAIL):
		return OutcomeUnreachable
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.ErrClosedPipe), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, syscall.ECONNABORTED):
		return OutcomeClosed
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return OutcomeTimeout
	default:
		return fallback
	}
}
