package fakesmb

// Commands of SMB1 (MS-CIFS §2.2.2.1).
const (
	command1Close  = 0x04
	command1Trans  = 0x25
	command1Read   = 0x2e
	command1Setup  = 0x73
	command1Logoff = 0x74
	command1Tree   = 0x75
	command1Create = 0xa2
)

// anonymous1 reports whether a session setup of SMB1 is the last of a login without a user: NTLM's last message, or no
// extended security and an empty name.
func anonymous1(m []byte) bool {
	const old = 13
	return m[32] == old && len(m) >= 66 && le.Uint16(m[33+16:]) == 0 && le.Uint16(m[62:]) == 0 || anonymous(m)
}

// Answer1 returns the message that answers a request of SMB1, from the last of the login on. Statuses are by SMB1's commands.
func (v *Visit) Answer1(request []byte) []byte {
	status, ok := v.Statuses[uint16(request[4])]
	if ok {
		return append(header1(request, status), 0, 0, 0)
	}
	words, data := []byte{0xff, 0, 0, 0}, []byte(nil)
	switch request[4] {
	case command1Setup:
		words = append(words, byte(v.Flags), byte(v.Flags>>8))
		if request[32] == 12 { // extended security
			words = append(words, 0, 0)
		}
		data = append([]byte{0}, utf16le("Unix\x00Samba 3.0.37\x00LAB\x00")...)
	case command1Tree:
		words = append(words, 0, 0)
		data = []byte("IPC\x00\x00\x00")
	case command1Create:
		words = append(words, make([]byte, 64)...)
		le.PutUint16(words[5:], 0x4001)
	case command1Trans:
		words = make([]byte, 20)
		if request[32] == 14 { // no setup: RAP
			data = v.rap(words)
			break
		}
		data, status = v.pdu(request[le.Uint16(request[33+24:]):])
		for _, at := range []int{2, 12} {
			le.PutUint16(words[at:], uint16(len(data)))
		}
		le.PutUint16(words[14:], 32+1+20+2+1)
		data = append([]byte{0}, data...)
	case command1Read:
		words = append(words, make([]byte, 20)...)
		data, status = v.next(int(le.Uint16(request[33+10:])))
		le.PutUint16(words[10:], uint16(len(data)))
		le.PutUint16(words[12:], 32+1+24+2)
	case command1Logoff:
	default:
		words = nil
	}
	m := header1(request, status)
	le.PutUint16(m[28:], 100)
	if request[4] == command1Tree {
		le.PutUint16(m[24:], tree)
	}
	m = append(append(m, byte(len(words)/2)), words...)
	return append(le.AppendUint16(m, uint16(len(data))), data...)
}

// rap answers NetShareEnum at level 1 (MS-RAP §2.5.6.2): parameters, entries, and then their comments.
func (v *Visit) rap(words []byte) (data []byte) {
	const at, parameters, converter, entry = 32 + 1 + 20 + 2, 8, 0x1000, 20
	list := make([]byte, entry*len(v.Shares))
	for i, s := range v.Shares {
		e := list[i*entry:]
		copy(e[:12], s.Name)
		le.PutUint16(e[14:], uint16(s.Type))
		le.PutUint16(e[16:], uint16(len(list)+converter))
		list = append(append(list, s.Comment...), 0)
	}
	data = make([]byte, parameters)
	le.PutUint16(data, uint16(v.Result))
	le.PutUint16(data[2:], converter)
	le.PutUint16(data[4:], uint16(len(v.Shares)))
	le.PutUint16(data[6:], uint16(len(v.Shares)))
	for i, field := range map[int]int{0: parameters, 1: len(list), 3: parameters, 4: at, 6: len(list), 7: at + parameters} {
		le.PutUint16(words[2*i:], uint16(field))
	}
	return append(data, list...)
}
