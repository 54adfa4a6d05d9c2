package advisory

import "github.com/handclasp/handclasp/probe"

const sambaHistory = "https://www.samba.org/samba/security/"

// Of SMB, rsync and news.
var knownFiles = []known{
	{
		id: "CVE-2017-7494", name: "SambaCry", products: []string{"Samba"},
		affected: []bounds{{"3.5.0", "4.4.14"}, {"4.5.0", "4.5.10"}, {"4.6.0", "4.6.4"}},
		cvss:     anybodyAll, cwe: []int{94}, kev: "2023-03-30",
		refs: []string{sambaHistory + "CVE-2017-7494.html"},
	},
	{
		id: "CVE-2021-44142", products: []string{"Samba"},
		affected: []bounds{{"", "4.13.17"}, {"4.14.0", "4.14.12"}, {"4.15.0", "4.15.5"}},
		cvss:     userAll, cwe: []int{125, 787},
		refs: []string{sambaHistory + "CVE-2021-44142.html"},
	},
	{
		id: "CVE-2020-25717", products: []string{"Samba"},
		affected: []bounds{{"3.0.0", "4.13.14"}, {"4.14.0", "4.14.10"}, {"4.15.0", "4.15.2"}},
		cvss:     "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N", cwe: []int{20},
		refs: []string{sambaHistory + "CVE-2020-25717.html"},
	},
	{
		id: "CVE-2015-0240", products: []string{"Samba"},
		affected: []bounds{{"3.5.0", "3.6.25"}, {"4.0.0", "4.0.25"}, {"4.1.0", "4.1.17"}},
		cvss:     anybodyAll2,
		refs:     []string{sambaHistory + "CVE-2015-0240.html"},
	},
	{
		id: "CVE-2012-1182", products: []string{"Samba"},
		affected: []bounds{{"3.0.0", "3.4.16"}, {"3.5.0", "3.5.14"}, {"3.6.0", "3.6.4"}},
		cvss:     anybodyAll2, cwe: []int{189},
		refs: []string{sambaHistory + "CVE-2012-1182.html"},
	},
	{
		id: "CVE-2007-2447", name: "username map script", products: []string{"Samba"}, affected: []bounds{{"3.0.0", "3.0.25"}},
		cvss: "AV:N/AC:M/Au:S/C:P/I:P/A:P",
		refs: []string{sambaHistory + "CVE-2007-2447.html"},
	},
	{
		// Versions 1903 and 1909, if they take compressed messages. A mended one has the same build.
		id: "CVE-2020-0796", name: "SMBGhost",
		products: []string{"Windows"},
		affected: []bounds{{"10.0.18362", "10.0.18364"}},
		when:     func(s Subject) bool { return s.SMBCompression == probe.Yes },
		cvss:     anybodyRoot, cwe: []int{119}, kev: "2022-02-10",
		refs: []string{"https://msrc.microsoft.com/update-guide/vulnerability/CVE-2020-0796"},
	},
	{
		id: "CVE-2024-12084", products: []string{"rsync"}, affected: []bounds{{"3.2.7", "3.4.0"}},
		packages: map[string]string{
			"debian:12":    "3.2.7-1+deb12u1",
			"ubuntu:22.04": "3.2.7-0ubuntu0.22.04.3",
			"ubuntu:24.04": "3.2.7-1ubuntu1.1",
		},
		cvss: anybodyAll, cwe: []int{122},
		refs: []string{"https://kb.cert.org/vuls/id/952657"},
	},
	{
		id: "CVE-2024-12085", products: []string{"rsync"}, affected: []bounds{{"", "3.4.0"}},
		packages: map[string]string{
			"debian:11":    "3.2.3-4+deb11u2",
			"debian:12":    "3.2.7-1+deb12u1",
			"ubuntu:20.04": "3.1.3-8ubuntu0.8",
			"ubuntu:22.04": "3.2.7-0ubuntu0.22.04.3",
			"ubuntu:24.04": "3.2.7-1ubuntu1.1",
		},
		cvss: anybodyRead, cwe: []int{908},
		refs: []string{"https://kb.cert.org/vuls/id/952657"},
	},
	{
		id: "CVE-2012-3523", products: []string{"INN"}, affected: []bounds{{"", "2.5.3"}},
	},
}
