package smb

import (
	"fmt"
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// denials are the statuses that say no to whoever has no name. Others may mean that the server is busy or the
// client old.
var denials = map[string]bool{
	"STATUS_ACCESS_DENIED": true, "STATUS_LOGON_FAILURE": true, "STATUS_LOGON_TYPE_NOT_GRANTED": true,
	"STATUS_ACCOUNT_RESTRICTION": true, "STATUS_ACCOUNT_DISABLED": true, "STATUS_NO_SUCH_USER": true,
	"STATUS_WRONG_PASSWORD": true, "STATUS_NETWORK_ACCESS_DENIED": true, "STATUS_NTLM_BLOCKED": true,
	"STATUS_LOGON_NOT_GRANTED": true, "STATUS_NOT_SUPPORTED": true,
}

// refused reports whether a status says that something wasn't done.
func refused(status string) bool {
	return status != "" && status != "STATUS_SUCCESS" && status != "ERROR_SUCCESS"
}

// granted is yes for success, no for a denial, and unknown for what is neither.
func granted(status string) probe.Fact {
	switch {
	case status == "STATUS_SUCCESS":
		return probe.Yes
	case denials[status]:
		return probe.No
	}
	return probe.Unknown
}

// facts says whether a null session and one as guest were given that may connect to IPC$. The login had no user, so
// that the session is null where the server doesn't flag it as guest: Windows flags it, Samba doesn't. Whether there are
// guests where such a login doesn't make one isn't known: that would take the name of a user.
func (a *AnonymousSession) facts() (null, guest probe.Fact) {
	isGuest := slices.Contains(a.Flags, "guest")
	login, tree := granted(a.Status), granted(a.TreeStatus)
	switch {
	case login != probe.Yes:
		return login, probe.Unknown
	case isGuest && slices.Contains(a.Flags, "null"):
		return tree, tree
	case isGuest:
		return probe.No, tree
	}
	return tree, probe.Unknown
}

func sessionFlags(flags uint16) []string {
	list := []string{}
	for i := range 16 {
		switch bit := uint16(1) << i; flags & bit {
		case 0:
		case sessionGuest:
			list = append(list, "guest")
		case sessionNull:
			list = append(list, "null")
		case sessionEncrypt:
			list = append(list, "encrypt")
		default:
			list = append(list, fmt.Sprintf("0x%04x", bit))
		}
	}
	return list
}

// systemErrors are those that NetrShareEnum is seen to return (MS-SRVS §3.1.4.8, MS-ERREF §2.2).
var systemErrors = map[uint32]string{
	0: "ERROR_SUCCESS", 5: "ERROR_ACCESS_DENIED", 50: "ERROR_NOT_SUPPORTED", 87: "ERROR_INVALID_PARAMETER",
	124: "ERROR_INVALID_LEVEL", 234: "ERROR_MORE_DATA",
}

func systemErrorName(code uint32) string {
	if name, ok := systemErrors[code]; ok {
		return name
	}
	return fmt.Sprintf("0x%08x", code)
}

func dialectByName(name string) (uint16, bool) {
	for _, d := range dialects {
		if dialectNames[d] == name {
			return d, true
		}
	}
	return 0, false
}
