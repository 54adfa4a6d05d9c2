package probe

import (
	"cmp"
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

// Error returns the outcome's name. An outcome is an error to compare others with: errors.Is(err, probe.OutcomeTimeout).
func (o Outcome) Error() string { return string(o) }

// causes are the words of an [Error] that has no other cause; of all outcomes but ok.
var causes = map[Outcome]error{
	OutcomeBusy:        errors.New("the server is busy"),
	OutcomeDenied:      errors.New("the server turns this client away"),
	OutcomeRefused:     errors.New("connection refused"),
	OutcomeUnreachable: errors.New("unreachable"),
	OutcomeTimeout:     errors.New("timed out"),
	OutcomeCanceled:    errors.New("canceled"),
	OutcomeClosed:      errors.New("closed by the server"),
	OutcomeTLS:         errors.New("TLS failed"),
	OutcomeNotProtocol: errors.New("not this protocol"),
	OutcomeMalformed:   errors.New("malformed reply"),
	OutcomeLimit:       errors.New("limit reached"),
	OutcomeForbidden:   errors.New("forbidden"),
	OutcomeInternal:    errors.New("internal error"),
}

// An Error is every error that a session returns, and that a prober should return. It matches its outcome and unwraps to its
// cause.
type Error struct {
	Op      string  // what was being done: "dial", "read", "send", "tls", or a step of the protocol such as "greeting"
	Outcome Outcome // never ok
	Err     error   // the cause; nil if the outcome says it all
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Op, e.cause()) }

func (e *Error) cause() error {
	return cmp.Or(e.Err, causes[e.Outcome], causes[OutcomeInternal])
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is e's outcome.
func (e *Error) Is(target error) bool { return target == e.Outcome }

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
	var o Outcome
	switch {
	case errors.As(err, &e):
		o = e.Outcome
	case errors.As(err, &o):
	case errors.Is(err, context.Canceled):
		o = OutcomeCanceled
	case errors.Is(err, context.DeadlineExceeded):
		o = OutcomeTimeout
	}
	if _, known := causes[o]; !known {
		return OutcomeInternal
	}
	return o
}

// ioOutcome classifies what the operating system, a dialer or crypto/tls returned, all but the session's own limits
// and the context's end, which come first. Anything it doesn't know gets fallback.
func ioOutcome(err error, fallback Outcome) Outcome {
	var netErr net.Error
	switch {
	case errors.Is(err, OutcomeForbidden):
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
