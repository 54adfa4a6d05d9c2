package smb

import (
	"errors"
	"fmt"
)

// The requests of a null session of SMB1 behind the login, without their headers; and what is read of the replies.

// setup1Guest is the flag of a session as guest (MS-CIFS §2.2.4.53.2).
const setup1Guest = 0x0001

// treeConnect1 returns a request for the share of pipes (MS-CIFS §2.2.4.55.1), by its path.
func treeConnect1(path string) []byte {
	const passwordSize = 1 // a NUL, since users log in
	words := []byte{noAndX, 0, 0, 0, 0, 0, passwordSize, 0}
	return body1(words, append(text1([]byte{0}, path), "IPC\x00"...))
}

// openPipe1 returns a request to open a pipe of IPC$ (MS-CIFS §2.2.4.64.1), as openPipe.
func openPipe1(pipe string) []byte {
	words := []byte{noAndX, 0, 0, 0, 0}
	words = le.AppendUint16(words, uint16(2*len(pipe)+2))
	for _, field := range []uint32{0, 0, genericReadWrite, 0, 0, attributeNormal, shareReadWrite, dispositionOpen, 0, impersonation} {
		words = le.AppendUint32(words, field) // no flags, no root; the size is of new files; no options
	}
	return body1(append(words, 0), text1(nil, `\`+pipe))
}

// file returns what a reply to openPipe1 opened (§2.2.4.64.2).
func (r response1) file() (uint16, error) {
	if len(r.words) < 7 {
		return 0, errShort
	}
	return le.Uint16(r.words[5:]), nil
}

// transactNmPipe is the subcommand that writes to a pipe and reads from it (§2.2.5.6).
const transactNmPipe = 0x0026

// transact1 returns a request to write to a pipe and to read at most so many bytes (§2.2.4.33.1, §2.2.5.6.1).
func transact1(pipe uint16, data []byte, most int) []byte {
	return transaction1(`\PIPE\`, []uint16{transactNmPipe, pipe}, nil, data, 0, most)
}

// transaction1 returns a request (§2.2.4.33.1) that wants at most so many bytes of parameters and of data.
func transaction1(name string, setup []uint16, parameters, data []byte, mostParameters, mostData int) []byte {
	start := smb1HeaderSize + 1 + 2*(14+len(setup)) + 2 // where the bytes begin
	head := text1(nil, name)
	for (start+len(head))%4 != 0 {
		head = append(head, 0)
	}
	at := start + len(head)
	var w []byte
	for _, field := range []int{
		len(parameters), len(data), mostParameters, mostData, 0, // no setup in the reply
		0, 0, 0, 0, // no flags, no time to wait
		len(parameters), at, len(data), at + len(parameters), len(setup),
	} {
		w = le.AppendUint16(w, uint16(field))
	}
	for _, field := range setup {
		w = le.AppendUint16(w, field)
	}
	return body1(w, append(append(head, parameters...), data...))
}

// transacted returns what a reply to transact1 brought (§2.2.4.33.2): in one message, as there is room for.
func (r response1) transacted(most int) ([]byte, error) {
	if len(r.words) < 20 {
		return nil, errShort
	}
	if total, here := le.Uint16(r.words[2:]), le.Uint16(r.words[12:]); total != here {
		return nil, fmt.Errorf("%d of %d bytes out of a pipe", here, total)
	}
	return r.piece(le.Uint16(r.words[14:]), le.Uint16(r.words[12:]), most)
}

// readPipe1 returns a request to read at most so many bytes (§2.2.4.42.1).
func readPipe1(pipe uint16, most int) []byte {
	words := le.AppendUint16([]byte{noAndX, 0, 0, 0}, pipe)
	words = append(words, 0, 0, 0, 0)
	words = le.AppendUint16(words, uint16(most))
	return body1(append(words, make([]byte, 12)...), nil)
}

// read returns what a reply to readPipe1 brought (§2.2.4.42.2).
func (r response1) read(most int) ([]byte, error) {
	if len(r.words) < 14 {
		return nil, errShort
	}
	return r.piece(le.Uint16(r.words[12:]), le.Uint16(r.words[10:]), most)
}

// piece returns data of a reply, which is neither nothing nor more than was asked for.
func (r response1) piece(offset, length uint16, most int) ([]byte, error) {
	end := int(offset) + int(length)
	switch {
	case length == 0 || int(length) > most:
		return nil, fmt.Errorf("%d bytes out of a pipe", length)
	case int(offset) < r.at || end > len(r.message):
		return nil, errors.New("points outside of the message")
	}
	return r.message[offset:end], nil
}

// closePipe1 returns a request to close a pipe (§2.2.4.5.1).
func closePipe1(pipe uint16) []byte {
	return body1(append(le.AppendUint16(nil, pipe), 0, 0, 0, 0), nil)
}

// disconnect1 returns the request to end a connection to a share (§2.2.4.51.1).
func disconnect1() []byte { return body1(nil, nil) }

// logoff1 returns the request to end a session (§2.2.4.54.1).
func logoff1() []byte { return body1([]byte{noAndX, 0, 0, 0}, nil) }
