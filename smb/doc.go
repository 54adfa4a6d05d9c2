// Package smb asks a file server which dialects of SMB it speaks, how it protects each, and what it tells whoever begins a
// login. It follows MS-SMB2, MS-SMB, MS-CIFS, MS-SPNG, MS-NLMP and RFC 1002.
//
// # What is sent
//
// At [probe.LevelGreeting] nothing. At [probe.LevelHandshake], a connection for each, after the first two at a time, or one
// by one if there was no room:
//
//	NEGOTIATE 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1; SESSION_SETUP with NTLM's first message, which holds no name
//	NEGOTIATE of each of them alone
//	SMB_COM_NEGOTIATE of SMB1's dialects; SMB_COM_SESSION_SETUP_ANDX with NTLM's first message
//	SMB_COM_NEGOTIATE without NT LM 0.12, and one without extended security, if SMB1 is spoken
//	NEGOTIATE 3.1.1 with one cipher and one signing algorithm, four times, with [Prober.Algorithms]
//
// An offer has a random ClientGuid, from 3.0 on all capabilities, and at 3.1.1 a salt and all algorithms; that of the null
// session has no compression.
//
// On port 139 and with [Prober.NetBIOS], a session request to *SMBSERVER from HANDCLASP comes first; if that name is
// refused, NBSTAT to UDP port 137 of the same host, and a request to the name that it tells. No retarget is followed.
//
// At [probe.LevelAnonymous], a null session on one more connection with the dialect that the server prefers, which may be
// NT LM 0.12. A step that is refused ends it, politely:
//
//	NEGOTIATE, SESSION_SETUP        NTLM's first message
//	SESSION_SETUP                   NTLM's last message: no user, no domain, no workstation, no response
//	TREE_CONNECT \\192.0.2.7\IPC$   by the target's own address, and no other share
//	CREATE srvsvc                   which only opens the pipe
//	IOCTL, READ                     RPC bind, NetrShareEnum at level 1; what is left of the answer
//	CLOSE, TREE_DISCONNECT, LOGOFF  or what SMB1 has for all of these, such as NT_CREATE_ANDX and TRANSACTION
//	TRANSACTION \PIPE\LANMAN        by SMB1, if the pipe or the list is refused: NetShareEnum at level 1 (MS-RAP §2.5.6)
//
// Never: a user's name, a password, a response to a challenge, a path on a share, a write. The guard knows each byte of these
// messages, and their order.
//
// # What it means
//
// A dialect is refused only by STATUS_NOT_SUPPORTED, or STATUS_INVALID_PARAMETER from a server that takes another; SMB1 also
// by hanging up on it alone. What isn't answered is unknown, and named in the result's Partial. A login without a user gives
// a guest's session if the server flags it so, and else a null session, which Samba doesn't flag. One that must be encrypted
// ends there.
package smb
