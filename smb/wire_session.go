package smb

import (
	"fmt"
)

// sessionSetup returns the first request for a session (MS-SMB2 §2.2.5): it holds a token that asks for an NTLM challenge.
// A dialect that knows of credits is charged one.
func sessionSetup(dialect uint16, token []byte) []byte {
	var charge uint16
	if dialect > dialect202 {
		charge = 1
	}
	b := appendHeader(nil, commandSessionSetup, charge, 1)
	b = le.AppendUint16(b, sessionSetupSize+1)
	b = append(b, 0, modeSigningEnabled)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no capabilities, no channel
	b = le.AppendUint16(b, headerSize+sessionSetupSize)
	b = le.AppendUint16(b, uint16(len(token)))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no session before this one
	return append(b, token...)
}

// A setupReply is the answer to a session setup. Over SMB1 it comes with native strings.
type setupReply struct {
	status             uint32
	pending            bool
	token              []byte
	nativeOS, nativeLM string
}

// parseSessionSetup parses the reply (MS-SMB2 §2.2.6). It returns nil where the reply is none; where the token is out of
// bounds, the rest is returned beside the error.
func parseSessionSetup(b []byte) (*setupReply, error) {
	r, err := parseResponse(b, commandSessionSetup, 1)
	if err != nil {
		return nil, err
	}
	s := &setupReply{status: r.status, pending: r.pending}
	if s.pending || s.status != statusSuccess && s.status != statusMoreProcessing {
		if err := r.checkError(); err != nil {
			return nil, err
		}
		return s, nil
	}
	if len(r.body) < sessionReplySize {
		return nil, errShort
	}
	if size := le.Uint16(r.body); size != sessionReplySize+1 {
		return nil, fmt.Errorf("session setup reply of size %d", size)
	}
	if s.token, err = within(b, int(le.Uint16(r.body[4:])), int(le.Uint16(r.body[6:]))); err != nil {
		err = fmt.Errorf("the token %w", err)
	}
	return s, err
}
