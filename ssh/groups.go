package ssh

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// groupSizesAsked are the sizes in bits of groups that are asked for, each as the least and the preferred one.
var groupSizesAsked = []int{1024, 2048, 3072, 4096}

// groupMethods are the key exchanges in which the server chooses the group (RFC 4419 §4).
var groupMethods = []string{ssh.KeyExchangeDHGEXSHA256, ssh.InsecureKeyExchangeDHGEXSHA1}

// groups asks for a group of each size, and leaves when the server has told its modulus: nothing is computed with it.
func (t *talk) groups(ctx context.Context) {
	if t.e.Algorithms == nil {
		return
	}
	var method string
	for _, m := range groupMethods {
		if slices.Contains(t.e.Algorithms.Kex, m) {
			method = m
			break
		}
	}
	found := []GroupExchange{}
	if method == "" {
		t.e.GroupExchange = found
		return
	}
	for _, size := range groupSizesAsked {
		bits, err := t.group(ctx, method, size)
		if err != nil {
			t.s.Lost("/evidence/gex", err)
			break
		}
		found = append(found, GroupExchange{Asked: size, Bits: bits})
	}
	if len(found) > 0 {
		t.e.GroupExchange = found
	}
}

// group asks for a group of at least so many bits (RFC 4419 §3), and returns the size of its modulus; 0 if the server
// declines, or answers otherwise.
func (t *talk) group(ctx context.Context, method string, size int) (bits int, err error) {
	c, _, err := t.again(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	lists, err := listsFor(t.s.Rand(), method)
	if err != nil {
		return 0, err
	}
	for _, message := range [][]byte{[]byte(identificationLine(t.s.Contact())), lists, groupRequest(size)} {
		if err := c.Send(message); err != nil {
			return 0, err
		}
	}
	for {
		payload, err := readPacket(c)
		switch {
		case errors.Is(err, probe.OutcomeMalformed), err == nil && payload[0] == msgDisconnect:
			return 0, nil
		case err != nil:
			return 0, err
		case payload[0] == msgGexGroup:
			p, _, ok := cutString(payload[1:])
			if !ok {
				return 0, nil
			}
			return bitLen(p), nil
		}
	}
}

// groupRequest is the message KEX_DH_GEX_REQUEST.
func groupRequest(size int) []byte {
	payload := []byte{msgGexRequest}
	for _, n := range []int{size, size, maxGroup} {
		payload = binary.BigEndian.AppendUint32(payload, uint32(n))
	}
	return packet(payload)
}

// maxGroup is the largest group that is asked for (RFC 4419 §3).
const maxGroup = 8192

// listsFor is the KEXINIT with one way to exchange keys.
func listsFor(random io.Reader, method string) ([]byte, error) {
	lists := kexInit{
		Kex: []string{method}, HostKey: offeredHostKeys,
		CiphersClientToServer: offeredCiphers, CiphersServerToClient: offeredCiphers,
		MACsClientToServer: offeredMACs, MACsServerToClient: offeredMACs,
		CompressionClientToServer: []string{"none"}, CompressionServerToClient: []string{"none"},
	}
	if _, err := io.ReadFull(random, lists.Cookie[:]); err != nil {
		return nil, &probe.Error{Op: "rand", Outcome: probe.OutcomeInternal, Err: err}
	}
	return packet(ssh.Marshal(&lists)), nil
}
