package probe

import "time"

// NTLM is what a server's NTLM challenge tells anybody who asks for one (MS-NLMP §2.2.1.2). Names are the server's own
// words; a field that the challenge doesn't have is empty.
type NTLM struct {
	// TargetName is the realm to log in to: a domain, or the server's own name if it is in none.
	TargetName      string `json:"target_name" diff:"identifying"`
	NetBIOSComputer string `json:"netbios_computer" diff:"identifying"` // MsvAvNbComputerName (MS-NLMP §2.2.2.1)
	NetBIOSDomain   string `json:"netbios_domain" diff:"identifying"`   // MsvAvNbDomainName
	DNSComputer     string `json:"dns_computer" diff:"identifying"`     // MsvAvDnsComputerName, a fully qualified name
	DNSDomain       string `json:"dns_domain" diff:"identifying"`       // MsvAvDnsDomainName
	DNSTree         string `json:"dns_tree" diff:"identifying"`         // MsvAvDnsTreeName, the forest
	// OSVersion is the VERSION structure (MS-NLMP §2.2.2.10), such as "Windows 10.0 build 17763". Others than Windows
	// fill it in as well: Samba says "Windows 6.1 build 0". What no Windows says, a major version other than 5, 6 and 10
	// or a revision other than 15, is written without that name: "255.255 build 65535 revision 255".
	OSVersion string `json:"os_version" diff:"identifying"`
	// SystemTime is the server's clock in UTC, to 100 ns (MsvAvTimestamp); nil if it isn't told.
	SystemTime *time.Time `json:"system_time" diff:"volatile"`
}
