package advisory

const eximSecurity = "https://www.exim.org/static/doc/security/"

var knownMail = []known{
	{
		id: "CVE-2019-10149", name: "Return of the WIZard", products: []string{"Exim"}, affected: []bounds{{"4.87", "4.92"}},
		cvss: anybodyAll, cwe: []int{78}, kev: "2022-01-10",
		refs: []string{eximSecurity + "CVE-2019-10149.txt"},
	},
	{
		id: "CVE-2019-15846", products: []string{"Exim"}, affected: []bounds{{"", "4.92.2"}},
		cvss: anybodyAll,
		refs: []string{eximSecurity + "CVE-2019-15846.txt"},
	},
	{
		id: "CVE-2019-16928", products: []string{"Exim"}, affected: []bounds{{"4.92", "4.92.3"}},
		cvss: anybodyAll, cwe: []int{787}, kev: "2022-03-03",
		refs: []string{eximSecurity + "CVE-2019-16928.txt"},
	},
	{
		id: "CVE-2018-6789", products: []string{"Exim"}, affected: []bounds{{"", "4.90.1"}},
		cvss: anybodyAll, cwe: []int{120}, kev: "2021-11-03",
		refs: []string{eximSecurity + "CVE-2018-6789.txt"},
	},
	{
		id: "CVE-2010-4344", products: []string{"Exim"}, affected: []bounds{{"", "4.70"}},
		cvss: anybodyAll, cwe: []int{787}, kev: "2022-03-25",
	},
	{
		id: "CVE-2010-4345", products: []string{"Exim"}, affected: []bounds{{"", "4.73"}},
		cvss: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", cwe: []int{77}, kev: "2022-03-25",
	},
	{
		id: "CVE-2020-28017", name: "21Nails", products: []string{"Exim"}, affected: []bounds{{"", "4.94.2"}},
		cvss: anybodyAll, cwe: []int{190},
		refs: []string{"https://www.qualys.com/2021/05/04/21nails/21nails.txt"},
	},
	{
		id: "CVE-2020-28018", name: "21Nails", products: []string{"Exim"}, affected: []bounds{{"4.90", "4.94.2"}},
		cvss: anybodyAll, cwe: []int{416},
		refs: []string{"https://www.qualys.com/2021/05/04/21nails/21nails.txt"},
	},
	{
		id: "CVE-2023-42115", products: []string{"Exim"}, affected: []bounds{{"", "4.96.1"}},
		cvss: anybodyAll, cwe: []int{787},
		refs: []string{eximSecurity + "CVE-2023-zdi.txt"},
	},
	{
		id: "CVE-2023-42116", products: []string{"Exim"}, affected: []bounds{{"", "4.96.1"}},
		cvss: raceAll, cwe: []int{121},
		refs: []string{eximSecurity + "CVE-2023-zdi.txt"},
	},
	{
		id: "CVE-2023-42117", products: []string{"Exim"}, affected: []bounds{{"", "4.96.2"}},
		cvss: raceAll,
		refs: []string{eximSecurity + "CVE-2023-zdi.txt"},
	},
	{
		id: "CVE-2023-51766", name: "SMTP smuggling", products: []string{"Exim"}, affected: []bounds{{"", "4.97.1"}},
		cvss: anybodyForge, cwe: []int{345},
		refs: []string{eximSecurity + "CVE-2023-51766.txt"},
	},
	{
		id: "CVE-2023-51764", name: "SMTP smuggling", products: []string{"Postfix"},
		affected: []bounds{{"", "3.5.23"}, {"3.6", "3.6.13"}, {"3.7", "3.7.9"}, {"3.8", "3.8.4"}},
		cvss:     anybodyForge, cwe: []int{345},
		refs: []string{"https://www.postfix.org/smtp-smuggling.html"},
	},
	{
		id: "CVE-2023-51765", name: "SMTP smuggling", products: []string{"Sendmail"}, affected: []bounds{{"", "8.18"}},
		cvss: anybodyForge, cwe: []int{345},
	},
	{
		id: "CVE-2003-0161", products: []string{"Sendmail"}, affected: []bounds{{"", "8.12.9"}}, cvss: anybodyAll2,
	},
	{
		id: "CVE-2002-1337", products: []string{"Sendmail"}, affected: []bounds{{"", "8.12.8"}}, cvss: anybodyAll2, cwe: []int{120},
	},
	{
		id: "CVE-2006-0058", products: []string{"Sendmail"}, affected: []bounds{{"", "8.13.6"}}, cvss: "AV:N/AC:H/Au:N/C:C/I:C/A:C",
	},
	{
		id: "CVE-2020-7247", products: []string{"OpenSMTPD"}, affected: []bounds{{"6.4", "6.6.2"}},
		cvss: anybodyAll, cwe: []int{78, 755}, kev: "2022-03-25",
		refs: []string{"https://www.qualys.com/2020/01/28/cve-2020-7247/lpe-rce-opensmtpd.txt"},
	},
	{
		id: "CVE-2024-11182", products: []string{"MDaemon"}, affected: []bounds{{"", "24.5.1"}}, builds: true,
		cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", cwe: []int{79}, kev: "2025-05-19",
	},
}
