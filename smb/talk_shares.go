package smb

import "errors"

// Bounds of a list of shares. 128 KiB hold some 1,500 with ordinary names and comments.
const (
	maxPDUs = 64
	maxStub = 128 << 10
)

// A pipe carries PDUs of RPC and keeps their bounds: what is read is one PDU, or what is left of one.
type pipe interface {
	// transact writes a PDU and reads at most maxFragment bytes.
	transact(request []byte) ([]byte, error)
	// read reads at most so many bytes.
	read(most int) ([]byte, error)
}

// A serverService is what is behind the pipe srvsvc (MS-SRVS), and what it said.
type serverService struct {
	pipe pipe
	said *AnonymousSession
}

// The numbers of both calls.
const (
	callBind = 1 + iota
	callEnum
)

// shares binds the pipe to the service and calls NetrShareEnum.
func (v serverService) shares(host string) ([]Share, error) {
	if err := v.bind(); err != nil {
		return nil, err
	}
	stub, err := v.enumerate(host)
	if err != nil {
		return nil, err
	}
	shares, result, err := parseShares(stub)
	if err != nil {
		return nil, err
	}
	if v.said.ListStatus = systemErrorName(result); result != 0 {
		return nil, errRefused
	}
	return shares, nil
}

func (v serverService) bind() error {
	b, err := v.pipe.transact(bindServerService(callBind))
	if err != nil {
		return err
	}
	p, err := v.whole(b, callBind)
	if err != nil {
		return err
	}
	accepted, err := p.accepts()
	if err == nil && !accepted {
		v.said.ListStatus, err = "RPC bind refused", errRefused
	}
	return err
}

// enumerate returns the result of the call, of as many PDUs as it takes.
func (v serverService) enumerate(host string) (stub []byte, err error) {
	b, err := v.pipe.transact(enumShares(callEnum, host))
	if err != nil {
		return nil, err
	}
	for range maxPDUs {
		p, err := v.whole(b, callEnum)
		if err != nil {
			return nil, err
		}
		part, err := p.part(len(stub) == 0)
		if err != nil {
			return nil, err
		}
		if stub = append(stub, part...); len(stub) > maxStub {
			return nil, errTooMany
		}
		if p.last {
			return stub, nil
		}
		if b, err = v.pipe.read(maxFragment); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("more RPC PDUs than a list of shares takes")
}

// whole returns the PDU that b begins, and reads what is missing of it: at once, as a pipe gives it. A fault ends the list.
func (v serverService) whole(b []byte, call uint32) (pdu, error) {
	p, err := parsePDU(b, call)
	if left := p.size - len(b); err == nil && left > 0 {
		var rest []byte
		if rest, err = v.pipe.read(left); err == nil && len(rest) != left {
			err = errors.New("a part of an RPC PDU")
		}
		p.data = append(b, rest...)
	}
	if fault := p.fault(); err == nil && fault != "" {
		v.said.ListStatus, err = fault, errRefused
	}
	return p, err
}
