package lab

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/handclasp/handclasp/internal/nbt"
)

// netbiosNames are the workstation's: its own, its workgroup's, and that of who is logged in (RFC 1002 §4.2.18).
var netbiosNames = []struct {
	text   string
	suffix byte
	flags  uint16
}{
	{"FRONTDESK", 0x00, nbt.FlagActive},
	{"FRONTDESK", 0x20, nbt.FlagActive},
	{"FRONTDESK", 0x03, nbt.FlagActive},
	{"JDOE", 0x03, nbt.FlagActive},
	{"LAB", 0x00, nbt.FlagActive | nbt.FlagGroup},
	{"LAB", 0x1e, nbt.FlagActive | nbt.FlagGroup},
}

// netbiosMAC is one for documentation (RFC 7042 §2.1.2).
const netbiosMAC = "\x00\x00\x5e\x00\x53\x07"

// TalkativeNetBIOS starts a NetBIOS name service (RFC 1002 §4.2) that tells anybody its names, who is logged in and its
// hardware address.
func TalkativeNetBIOS(ctx context.Context) (*Server, error) {
	return ServeDatagrams(ctx, Neighbour{
		Name: "talkative-netbios", About: "tells strangers its names and who is logged in", Protocol: "netbios",
	}, answerNetBIOS)
}

const (
	netbiosHeader   = 12
	netbiosQuestion = netbiosHeader + 34 + 4
	statisticsRest  = 40 // behind the hardware address
)

// answerNetBIOS answers a plain query for the node's names or for the address of one of them.
func answerNetBIOS(q []byte) []byte {
	if len(q) != netbiosQuestion || !bytes.Equal(q[2:netbiosHeader], []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0}) {
		return nil
	}
	name, kind := q[netbiosHeader:netbiosHeader+34], q[netbiosHeader+34:]
	if !netbiosOwn(name) {
		return nil
	}
	var data []byte
	switch binary.BigEndian.Uint16(kind) {
	case nbt.TypeStatus:
		data = netbiosTable()
	case nbt.TypeNB:
		data = []byte{0, 0, 127, 0, 0, 1}
	default:
		return nil
	}
	r := append(bytes.Clone(q[:2]), 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0) // an authoritative response, one answer
	r = append(append(r, name...), kind...)
	r = append(r, 0, 0, 0, 0)
	r = binary.BigEndian.AppendUint16(r, uint16(len(data)))
	return append(r, data...)
}

func netbiosOwn(encoded []byte) bool {
	if bytes.Equal(encoded, nbt.AppendName(nil, nbt.Wildcard)) {
		return true
	}
	for _, n := range netbiosNames {
		if own, err := nbt.MakeName(n.text, n.suffix); err == nil && bytes.Equal(encoded, nbt.AppendName(nil, own)) {
			return true
		}
	}
	return false
}

func netbiosTable() []byte {
	data := []byte{byte(len(netbiosNames))}
	for _, n := range netbiosNames {
		name, err := nbt.MakeName(n.text, n.suffix)
		if err != nil {
			return nil
		}
		data = binary.BigEndian.AppendUint16(append(data, name[:]...), n.flags)
	}
	data = append(data, netbiosMAC...)
	return append(data, make([]byte, statisticsRest)...)
}
