package advisory

var knownFTP = []known{
	{
		id: "CVE-2011-2523", name: "vsftpd 2.3.4 backdoor", products: []string{"vsftpd"}, affected: []bounds{{"2.3.4", "2.3.5"}},
		cvss: anybodyAll, cwe: []int{78},
		refs: []string{"https://scarybeastsecurity.blogspot.com/2011/07/alert-vsftpd-download-backdoored.html"},
	},
	{
		id: "CVE-2015-3306", name: "ProFTPD mod_copy", products: []string{"ProFTPD"}, affected: []bounds{{"1.3.5rc1", "1.3.5a"}},
		cvss: anybodyAll2, cwe: []int{284},
		refs: []string{"http://bugs.proftpd.org/show_bug.cgi?id=4169"},
	},
	{
		id: "CVE-2019-12815", products: []string{"ProFTPD"}, affected: []bounds{{"", "1.3.6a"}},
		cvss: "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: []int{284},
		refs: []string{"http://bugs.proftpd.org/show_bug.cgi?id=4372"},
	},
	{
		id: "CVE-2010-4221", products: []string{"ProFTPD"}, affected: []bounds{{"1.3.2rc3", "1.3.3c"}},
		cvss: anybodyAll2, cwe: []int{119},
		refs: []string{"http://bugs.proftpd.org/show_bug.cgi?id=3521"},
	},
	{
		id: "CVE-2010-20103", name: "ProFTPD 1.3.3c backdoor", products: []string{"ProFTPD"}, affected: []bounds{{"1.3.3c", "1.3.3d"}},
		cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", cwe: []int{912},
	},
	{
		id: "CVE-2000-0573", products: []string{"wu-ftpd"}, affected: []bounds{{"", "2.6.1"}}, cvss: anybodyAll2,
	},
	{
		id: "CVE-2001-0550", products: []string{"wu-ftpd"}, affected: []bounds{{"", "2.6.2"}}, cvss: "AV:N/AC:L/Au:N/C:P/I:P/A:P",
	},
	{
		id: "CVE-2025-47812", products: []string{"Wing FTP Server"}, affected: []bounds{{"", "7.4.4"}}, builds: true,
		cvss: anybodyRoot, cwe: []int{158}, kev: "2025-07-14",
		refs: []string{"https://www.wftpserver.com/serverhistory.htm"},
	},
	{
		id: "CVE-2023-40044", products: []string{"WS_FTP Server"}, affected: []bounds{{"", "8.7.4"}, {"8.8.0", "8.8.2"}}, builds: true,
		cvss: userAll, cwe: []int{502}, kev: "2023-10-05",
		refs: []string{"https://community.progress.com/s/article/WS-FTP-Server-Critical-Vulnerability-September-2023"},
	},
	{
		id: "CVE-2018-14847", products: []string{"RouterOS"}, affected: []bounds{{"", "6.40.8"}, {"6.41", "6.42.1"}},
		cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N", cwe: []int{22}, kev: "2021-12-01",
		refs: []string{"https://blog.mikrotik.com/security/winbox-vulnerability.html"},
	},
	{
		id: "CVE-2018-7445", products: []string{"RouterOS"}, affected: []bounds{{"", "6.40.7"}, {"6.41", "6.41.3"}},
		cvss: anybodyAll, cwe: []int{119}, kev: "2022-09-08",
		refs: []string{"https://www.coresecurity.com/core-labs/advisories/mikrotik-routeros-smb-buffer-overflow"},
	},
}
