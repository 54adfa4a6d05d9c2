package probe_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func TestSoftwareName(t *testing.T) {
	for want, s := range map[string]probe.Software{
		"Samba 4.17.12":            {Vendor: "Samba", Product: "Samba", Version: "4.17.12"},
		"Windows Server 2019":      {Vendor: "Microsoft", Product: "Windows Server 2019"},
		"OpenSSH":                  {Vendor: "OpenBSD", Product: "OpenSSH"},
		"Lab Server 1":             {Vendor: "Lab", Product: "Lab Server", Version: "1"},
		"Exim 4.96":                {Vendor: "Exim", Product: "Exim", Version: "4.96"},
		"Apache HTTP Server 2.2.3": {Vendor: "Apache", Product: "HTTP Server", Version: "2.2.3"},
		"Nodemailer smtp-server":   {Vendor: "Nodemailer", Product: "smtp-server"},
		"Cisco IOS 12.4":           {Vendor: "Cisco", Product: "IOS", Version: "12.4"},
		"NetBSD ftpd 20100320":     {Vendor: "NetBSD", Product: "ftpd", Version: "20100320"},
		"ProCurve Switch firmware": {Vendor: "HP", Product: "ProCurve Switch firmware"},
		"Symantec Mail Security":   {Vendor: "Symantec", Product: "Mail Security"},
		"Email Gateway":            {Product: "Email Gateway"},
		"":                         {Vendor: "Debian"},
	} {
		require.Equal(t, want, s.Name())
	}
}
