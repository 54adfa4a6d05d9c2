package ftp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

// format is a format of listings: rows and what they say, and rows that are in another format or in none.
type format struct {
	parse func(row string) (Entry, bool)
	rows  map[string]Entry
	not   []string
}

func size(n int64) *int64 { return &n }

func file(name string, bytes int64, modified, permissions string) Entry {
	return Entry{Name: name, Type: TypeFile, Size: size(bytes), Modified: modified, Permissions: permissions}
}

const tooLarge = "9223372036854775808" // 2⁶³
var unixRows = format{
	parse: parseUnix,
	rows: map[string]Entry{
		"-rw-r--r--   1 ftp      ftp            12 Nov 22 14:57 a":        file("a", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r--   1 ftp      ftp            12 Nov 22  2019 b":        file("b", 12, "Nov 22 2019", "-rw-r--r--"),
		"-rw-r--r--   1 ftp      ftp            12 Nov 22 14:57  a b  c ": file(" a b  c ", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r--   1 ftp      ftp            12 Nov 22 14:57 Dec 1 1999 x": file(
			"Dec 1 1999 x", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r--   1 ftp      ftp            12 Feb 29 23:59 leap":   file("leap", 12, "Feb 29 23:59", "-rw-r--r--"),
		"-rw-r--r--   1 ftp      ftp            12 Feb 29  2023 never":  file("never", 12, "Feb 29 2023", "-rw-r--r--"),
		"-rw-r--r-- ftp ftp 12 Nov 22 14:57 no link count":              file("no link count", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp 12 Nov 22 14:57 no group":                     file("no group", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 12 Nov 22 14:57 nobody's":                           file("nobody's", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r--    1 1000     100          12 Nov 22 14:57 numeric": file("numeric", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 domain users 12 Nov 22 14:57 blank":               file("blank", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 jan feb 12 Nov 22 14:57 months":                   file("months", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r--+  1 ftp ftp 12 Nov 22 14:57 acl":                    file("acl", 12, "Nov 22 14:57", "-rw-r--r--+"),
		"-rw-r--r--.  1 ftp ftp 12 Nov 22 14:57 label":                  file("label", 12, "Nov 22 14:57", "-rw-r--r--."),
		"-rw-r--r--@  1 ftp ftp 12 Nov 22 14:57 xattr":                  file("xattr", 12, "Nov 22 14:57", "-rw-r--r--@"),
		"  4711    8 -rw-r--r--   1 ftp ftp 12 Nov 22 14:57 inode":      file("inode", 12, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 22 Nov 2019 day first":                 file("day first", 12, "22 Nov 2019", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 Nov 22 14:57:33 2019 full":             file("full", 12, "Nov 22 14:57:33 2019", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 Nov 22 14:57:33 2019":                  file("2019", 12, "Nov 22 14:57:33", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 Nov 22, 2019 14:57 both":               file("both", 12, "Nov 22, 2019 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 2019-11-22 14:57 iso":                  file("iso", 12, "2019-11-22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 2019-11-22 14:57:33.120000000 +0100 i": file("i", 12, "2019-11-22 14:57:33.120000000 +0100", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 11-22 14:57 short":                     file("short", 12, "11-22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 22/11/2019 14:57 slashes":              file("slashes", 12, "22/11/2019 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 2019.11.22   dots":                     file("  dots", 12, "2019.11.22", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 12. März 14:57 german":                 file("german", 12, "12. März 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 août 5 2019 french":                    file("french", 12, "août 5 2019", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 5月 17日 2019年 japanese":                 file("japanese", 12, "5月 17日 2019年", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 12 2019 5月 17 year first":                 file("year first", 12, "2019 5月 17", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp 9223372036854775807 Nov 22 14:57 largest": file("largest", 1<<63-1, "Nov 22 14:57", "-rw-r--r--"),
		"-rw-r--r-- 1 ftp ftp " + tooLarge + " Nov 22 14:57 larger":     {Name: "larger", Type: TypeFile, Modified: "Nov 22 14:57", Permissions: "-rw-r--r--"},
		"-rw-r--r-- 1 ftp ftp 1.5K Nov 22 14:57 human":                  {Name: "human", Type: TypeFile, Modified: "Nov 22 14:57", Permissions: "-rw-r--r--"},
		"-rw-r--r-- longowner longgroup123456 Nov 22 14:57 glued":       {Name: "glued", Type: TypeFile, Modified: "Nov 22 14:57", Permissions: "-rw-r--r--"},
		"-r--r--r-- 1 ftp ftp 12 Nov 22 14:57 readable": {
			Name: "readable", Type: TypeFile, Size: size(12), Modified: "Nov 22 14:57", Permissions: "-r--r--r--", Writable: probe.No},
		"-rw-rw-rw- 1 ftp ftp 12 Nov 22 14:57 writable": {
			Name: "writable", Type: TypeFile, Size: size(12), Modified: "Nov 22 14:57", Permissions: "-rw-rw-rw-", Writable: probe.Yes},
		"---------- 1 owner group 12 Nov 22 14:57 windows": {
			Name: "windows", Type: TypeFile, Size: size(12), Modified: "Nov 22 14:57", Permissions: "----------", Writable: probe.No},
		"drwxrwxrwt 2 ftp ftp 4096 Nov 22 14:57 incoming": {
			Name: "incoming", Type: TypeDirectory, Modified: "Nov 22 14:57", Permissions: "drwxrwxrwt", Writable: probe.Yes},
		"drwxr-xr-x            folder        3 Nov 22 2019 netpresenz": {
			Name: "netpresenz", Type: TypeDirectory, Modified: "Nov 22 2019", Permissions: "drwxr-xr-x"},
		"drwxr-xr-x Nov 22 2019 bare": {Name: "bare", Type: TypeDirectory, Modified: "Nov 22 2019", Permissions: "drwxr-xr-x"},
		"lrwxrwxrwx 1 ftp ftp 4 Nov 22 14:57 link -> /a -> b": {
			Name: "link", Type: TypeLink, Modified: "Nov 22 14:57", Permissions: "lrwxrwxrwx"},
		"brw-rw---- 1 root disk 8,   0 Nov 22 14:57 sda":   {Name: "sda", Type: TypeOther, Modified: "Nov 22 14:57", Permissions: "brw-rw----"},
		"crw-rw-rw- 1 root sys   13,  2 Nov 22 14:57 null": {Name: "null", Type: TypeOther, Modified: "Nov 22 14:57", Permissions: "crw-rw-rw-"},
		"prw-r--r-- 1 ftp ftp 0 Nov 22 14:57 pipe":         {Name: "pipe", Type: TypeOther, Modified: "Nov 22 14:57", Permissions: "prw-r--r--"},
		"srw-r--r-- 1 ftp ftp 0 Nov 22 14:57 socket":       {Name: "socket", Type: TypeOther, Modified: "Nov 22 14:57", Permissions: "srw-r--r--"},
		"Drw-r--r-- 1 root root 0 Nov 22 14:57 door":       {Name: "door", Type: TypeOther, Modified: "Nov 22 14:57", Permissions: "Drw-r--r--"},
		"-rw-r--r-- 1 ftp ftp 12 Nov 22 14:57 caf\xe9":     {Name: "caf�", Lossy: true, Type: TypeFile, Size: size(12), Modified: "Nov 22 14:57", Permissions: "-rw-r--r--"},
	},
	not: []string{
		"", "-", "total 12", "-rw-r--r--", "-rw-r--r-- a", "-rw-r--r-- 1 ftp ftp 12 a", "-rw-r--r-- 1 ftp ftp 12 Nov 22 14:57", "-rw-r--r-- 1 ftp ftp 12 Nov 22 14:57 ",
		"-rw-r--r? 1 ftp ftp 12 Nov 22 14:57 a", "Zrw-r--r-- 1 ftp ftp 12 Nov 22 14:57 a", "-rw-r--r-- 1 ftp ftp 12 Nov 32x 14:57 a", "-rw-r--r-- 1 ftp ftp 12 Nov 22 209 a",
		"lrwxrwxrwx 1 ftp ftp 4 Nov 22 14:57  -> a",
	},
}

var dosRows = format{
	parse: parseDOS,
	rows: map[string]Entry{
		"01-02-19  03:04PM       <DIR>          pub":           {Name: "pub", Type: TypeDirectory, Modified: "01-02-19 03:04PM"},
		"01-02-2019  03:04PM                 1234 read me.txt": file("read me.txt", 1234, "01-02-2019 03:04PM", ""),
		"01-02-19  03:04AM                    1  a":            file(" a", 1, "01-02-19 03:04AM", ""),
		"2019-01-02  15:04            1,234,567 b":             file("b", 1234567, "2019-01-02 15:04", ""),
		"02.01.2019  15:04            1.234.567 c":             file("c", 1234567, "02.01.2019 15:04", ""),
		"01/02/2019  03:04 PM                12 d":             file("d", 12, "01/02/2019 03:04 PM", ""),
		"01-02-19  03:04PM                 12 3":               file("3", 12, "01-02-19 03:04PM", ""),
		"01-02-19  03:04PM " + tooLarge + " large":             {Name: "large", Type: TypeFile, Modified: "01-02-19 03:04PM"},
		"01-02-19  03:04PM       <JUNCTION>     users [C:\\U s]": {
			Name: "users", Type: TypeLink, Modified: "01-02-19 03:04PM"},
		"01-02-19  03:04PM       <SYMLINKD>     data":        {Name: "data", Type: TypeLink, Modified: "01-02-19 03:04PM"},
		"01-02-19  03:04PM       <SYMLINK>      f [a] [..b]": {Name: "f [a]", Type: TypeLink, Modified: "01-02-19 03:04PM"},
		"01-02-19  03:04pm       <dir>          lower":       {Name: "lower", Type: TypeDirectory, Modified: "01-02-19 03:04pm"},
	},
	not: []string{
		"", "01-02-19", "01-02-19  03:04PM", "01-02-19  03:04PM 12", "01-02-19  03:04PM 12 ", "01-02-19  03:04PM <DIR> ", "01-02-19  3PM 12 a", "x  03:04PM 12 a",
		"01-02-19  03:04PM <FOO> a", "01-02-19  03:04PM 1.5K a",
	},
}

var eplfRows = format{
	parse: parseEPLF,
	rows: map[string]Entry{
		"+i77.4711,m1704164645,r,s12,\ta b":   file("a b", 12, "2024-01-02T03:04:05Z", ""),
		"+m1704164645,/,\tpub":                {Name: "pub", Type: TypeDirectory, Modified: "2024-01-02T03:04:05Z"},
		"+/,r,s12,\tboth":                     {Name: "both", Type: TypeDirectory},
		"+,\tneither":                         {Name: "neither", Type: TypeOther},
		"+\t\tx":                              {Name: "\tx", Type: TypeOther},
		"+r,s12,up644\tmode":                  {Name: "mode", Type: TypeFile, Size: size(12), Permissions: "644"},
		"+/,up1777,\topen":                    {Name: "open", Type: TypeDirectory, Permissions: "1777", Writable: probe.Yes},
		"+r,s" + tooLarge + ",mx,upz,\tlarge": {Name: "large", Type: TypeFile},
		"+r,m99999999999,\tfuture":            {Name: "future", Type: TypeFile},
	},
	not: []string{"", "+", "+r,s12, a", "+r,s12,\t", "r,s12,\ta", "\ta"},
}

var netWareRows = format{
	parse: parseNetWare,
	rows: map[string]Entry{
		"d [R----F--] supervisor            512       Jan  2 03:04    pub": {
			Name: "pub", Type: TypeDirectory, Modified: "Jan 2 03:04", Permissions: "[R----F--]", Writable: probe.No},
		"- [RWCE-FM-] guest                1234       Jan  2  2019    read me": {
			Name: "read me", Type: TypeFile, Size: size(1234), Modified: "Jan 2 2019", Permissions: "[RWCE-FM-]", Writable: probe.Yes},
		"d[SRWCEMFA] 1 admin 512 Jan  2 03:04 all": {
			Name: "all", Type: TypeDirectory, Modified: "Jan 2 03:04", Permissions: "[SRWCEMFA]", Writable: probe.Yes},
		"- [--------] admin " + tooLarge + " Jan  2 03:04 large": {
			Name: "large", Type: TypeFile, Modified: "Jan 2 03:04", Permissions: "[--------]", Writable: probe.No},
	},
	not: []string{
		"", "d", "-", "d [", "d [R----F--]", "d [R----F--] a", "d [R----F-] x 512 Jan 2 03:04 a", "d [R----F-X] x 512 Jan 2 03:04 a", "l [R----F--] x 512 Jan 2 03:04 a",
		"d [R----F--] x 512 Jan 2 03:04    ",
	},
}

var vmsRows = format{
	parse: parseVMS,
	rows: map[string]Entry{
		"READ_ME.TXT;3             64   4-MAR-2019 00:04:05 [USR,USRGROUP] (RWED,RWED,RE,RE)": {
			Name: "READ_ME.TXT;3", Type: TypeFile, Modified: "4-MAR-2019 00:04:05", Permissions: "(RWED,RWED,RE,RE)"},
		"PUB.DIR;1                  1/3  14-MAR-2019 00:04 [FTP] (RWED,RWED,RWED,RWE)": {
			Name: "PUB.DIR;1", Type: TypeDirectory, Modified: "14-MAR-2019 00:04", Permissions: "(RWED,RWED,RWED,RWE)", Writable: probe.Yes},
		"LOCKED.TXT;1  2 4-MAR-2019 (R,R,R,)": {
			Name: "LOCKED.TXT;1", Type: TypeFile, Modified: "4-MAR-2019", Permissions: "(R,R,R,)", Writable: probe.No},
		"ODD.TXT;1  2 4-MAR-2019 (RWX,R)":                {Name: "ODD.TXT;1", Type: TypeFile, Modified: "4-MAR-2019", Permissions: "(RWX,R)"},
		"SHORT.TXT;12  9  4-MAR-2019 00:04:05.67":        {Name: "SHORT.TXT;12", Type: TypeFile, Modified: "4-MAR-2019 00:04:05.67"},
		"SIZE.TXT;1  " + tooLarge:                        {Name: "SIZE.TXT;1", Type: TypeFile},
		"PRIV.DIR;1  %RMS-E-PRV, insufficient privilege": {Name: "PRIV.DIR;1", Type: TypeDirectory},
	},
	not: []string{"", "A.TXT;1", "A.TXT;1 ", "A.TXT 64 4-MAR-2019 00:04", "A.TXT;x 64 4-MAR-2019 00:04", ";1 64 4-MAR-2019", "A.TXT;1 size 4-MAR-2019", "A.TXT;1 64 4-MRZ-2019",
		"A.TXT;1 64 MAR 4 2019", "Total of 3 files, 12 blocks."},
}

var ibmiRows = format{
	parse: parseIBMi,
	rows: map[string]Entry{
		"QPGMR           77824 02/23/00 15:09:55 *DIR       pub/":     {Name: "pub", Type: TypeDirectory, Modified: "02/23/00 15:09:55"},
		"QPGMR            3050 01/02/24 10:00:00 *STMF      a  b.txt": file("a  b.txt", 3050, "01/02/24 10:00:00", ""),
		"QPGMR            3050 02.01.24 10.00.00 *FILE      A.FILE":   file("A.FILE", 3050, "02.01.24 10.00.00", ""),
		"QPGMR                                   *MEM       A.FILE/A.MBR": {
			Name: "A.FILE/A.MBR", Type: TypeFile},
		"QSYS        " + tooLarge + " 01/02/24 10:00:00 *STMF large": {Name: "large", Type: TypeFile, Modified: "01/02/24 10:00:00"},
		"QSYS             4096 01/02/24 10:00:00 *SYMLNK    link":    {Name: "link", Type: TypeLink, Modified: "01/02/24 10:00:00"},
		"QSYS             4096 01/02/24 10:00:00 *LIB       QGPL":    {Name: "QGPL", Type: TypeDirectory, Modified: "01/02/24 10:00:00"},
		"QSYS             4096 01/02/24 10:00:00 *DTAQ      Q.DTAQ":  {Name: "Q.DTAQ", Type: TypeOther, Modified: "01/02/24 10:00:00"},
	},
	not: []string{"", "QPGMR", "QPGMR *MEM", "QPGMR *MEM ", "QPGMR 3050 01/02/24 10:00:00 STMF a", "QPGMR x 01/02/24 10:00:00 *STMF a", "QPGMR *** a", "QPGMR *x? a", "QPGMR 3050 01/02/24 10:00:00 *DIR /"},
}

const (
	dataSetHeader = "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname"
	memberHeader  = " Name     VV.MM   Created       Changed      Size  Init   Mod   Id"
	moduleHeader  = " Name      Size     TTR   Alias-of AC --------- Attributes --------- Amode Rmode"
)

// under parses rows that stand below a header.
func under(header string) func(row string) (Entry, bool) {
	return func(row string) (Entry, bool) {
		var t mvsTable
		t.isHeader(header)
		return t.parse(row)
	}
}

var dataSetRows = format{
	parse: under(dataSetHeader),
	rows: map[string]Entry{
		"XYZ123 3390   2024/01/02  1    1  FB      80 27920  PS  DATA.SET":   {Name: "DATA.SET", Type: TypeFile},
		"XYZ123 3390   2024/01/02  1    1  FB      80 27920  PO  'A.LIB'":    {Name: "A.LIB", Type: TypeDirectory},
		"XYZ123 3390   2024/01/02  1   15  U        0 32760  PO-E A.LOAD":    {Name: "A.LOAD", Type: TypeDirectory},
		"XYZ123 3390   **NONE**    1    1  VB     256 27998  PS  NEVER":      {Name: "NEVER", Type: TypeFile},
		"XYZ123 3390                                         VSAM A.CLUSTER": {Name: "A.CLUSTER", Type: TypeOther},
		"Migrated                                                A.B.C":      {Name: "A.B.C", Type: TypeOther},
		"ARCIVE Not Direct Access Device                         A.B-2.C#3":  {Name: "A.B-2.C#3", Type: TypeOther},
		"V12345 Tape                                             A.TAPE":     {Name: "A.TAPE", Type: TypeOther},
		"Pseudo Directory                                        A":          {Name: "A", Type: TypeDirectory},
		"XYZ123 Error determining attributes                     A.$X.@Y":    {Name: "A.$X.@Y", Type: TypeOther},
		"A 01.03 2024/01/02 2024/02/03 09:37    11    11     0 USR001":       {Name: "A", Type: TypeFile, Modified: "2024/02/03 09:37"},
	},
	not: []string{"", "A.B.C", "Migrated a.b.c", "Migrated A..C", "Migrated 1.B", "Migrated A.TOOLONGXX", "1234567 files A.B", "V12345 A.B",
		"Migrated A2345678.B2345678.C2345678.D2345678.E2345678.F"},
}

var dataSetRowsAlone = format{
	parse: under(""),
	rows: map[string]Entry{
		"XYZ123 3390   2024/01/02  1    1  FB      80 27920  PS  DATA.SET": {Name: "DATA.SET", Type: TypeFile},
	},
	not: []string{"", "Migrated A.B.C", "MEMBER", "XYZ123 3390   **NONE**    1    1  VB     256 27998  PS  NEVER", "XYZ123 3390   2024/01/02  1    1  FB      80 27920  XX  DATA.SET"},
}

var memberRows = format{
	parse: under(memberHeader),
	rows: map[string]Entry{
		" ALPHA    01.03 2024/01/02 2024/02/03 09:37    11    11     0 USR001": {Name: "ALPHA", Type: TypeFile, Modified: "2024/02/03 09:37"},
		" $BETA#   01.00 2024/01/02 2024/02/03 09:37    11    11     0":        {Name: "$BETA#", Type: TypeFile, Modified: "2024/02/03 09:37"},
		" GAMMA": {Name: "GAMMA", Type: TypeFile},
	},
	not: []string{"", "gamma", "TOOLONGXX", "1A", "ALPHA BETA", "ALPHA 1.3 2024/01/02 2024/02/03 09:37 11 11 0 U"},
}

var moduleRows = format{
	parse: under(moduleHeader),
	rows: map[string]Entry{
		" PROGRAM   0A1B2C   00000F                00 FO             31    ANY": {Name: "PROGRAM", Type: TypeFile},
	},
	not: []string{"", "PROGRAM", "PROGRAM size 00000F", "program 0A1B2C"},
}

var machineRows = format{
	parse: parseMachine,
	rows: map[string]Entry{
		"type=file;perm=rw; a":       {Name: "a", Type: TypeFile, Permissions: "rw", Writable: probe.Yes},
		"type=file;perm=adfr; a":     {Name: "a", Type: TypeFile, Permissions: "adfr", Writable: probe.No},
		"type=dir;perm=fle; a":       {Name: "a", Type: TypeDirectory, Permissions: "fle", Writable: probe.No},
		"type=dir;perm=flcdmpe; a":   {Name: "a", Type: TypeDirectory, Permissions: "flcdmpe", Writable: probe.Yes},
		"type=dir;size=5;perm=; a":   {Name: "a", Type: TypeDirectory, Writable: probe.No},
		"type=dir;UNIX.mode=0777; a": {Name: "a", Type: TypeDirectory, Permissions: "0777", Writable: probe.Yes},
		"type=dir;UNIX.mode=0444; a": {Name: "a", Type: TypeDirectory, Permissions: "0444", Writable: probe.No},
		"type=dir;UNIX.mode=x; a":    {Name: "a", Type: TypeDirectory},
		"type=OS.unix=symlink; a":    {Name: "a", Type: TypeLink},
		"TYPE=OS.UNIX=slink:/b; a":   {Name: "a", Type: TypeLink},
		"type=OS.unix=chr-1/3; a":    {Name: "a", Type: TypeOther},
		"type=cdir; /":               {Name: "/", Type: TypeCurrent},
		"Type=PDir; ..":              {Name: "..", Type: typeParent},
		" a":                         {Name: "a", Type: TypeOther},
		"novalue;; a; b":             {Name: "a; b", Type: TypeOther},
		"MODIFY=20260230000000; a":   {Name: "a", Type: TypeOther},
		"TYPE=FILE;SIZE=12;Modify=20240102030405.6;PERM=R; a": {
			Name: "a", Type: TypeFile, Size: size(12), Modified: "2024-01-02T03:04:05Z", Permissions: "R", Writable: probe.No},
		"type=DIR;PERM=C; a":                     {Name: "a", Type: TypeDirectory, Permissions: "C", Writable: probe.Yes},
		"type=file;size=99999999999999999999; a": {Name: "a", Type: TypeFile},
		"type=file;size=" + tooLarge + "; a":     {Name: "a", Type: TypeFile},
	},
	not: []string{"", " ", "a", "type=file a", "type=file; "},
}

func TestFormats(t *testing.T) {
	for name, f := range map[string]format{
		"Unix": unixRows, "DOS": dosRows, "EPLF": eplfRows, "NetWare": netWareRows, "VMS": vmsRows, "IBM i": ibmiRows, "data sets": dataSetRows,
		"data sets without a header": dataSetRowsAlone, "members": memberRows, "modules": moduleRows, "MLSD": machineRows,
	} {
		t.Run(name, func(t *testing.T) {
			for row, want := range f.rows {
				e, ok := f.parse(row)
				require.True(t, ok, "%q", row)
				require.Equal(t, want, e, "%q", row)
			}
			for _, row := range f.not {
				e, ok := f.parse(row)
				require.False(t, ok, "%q is %+v", row, e)
			}
		})
	}
}

// listingOf reads lines as a listing.
func listingOf(machine bool, lines ...string) *Listing {
	r := newRows(machine)
	for _, line := range lines {
		if !r.add([]byte(line)) {
			return r.l
		}
	}
	r.end()
	return r.l
}

func names(l *Listing) (names []string) {
	for _, e := range l.Entries {
		names = append(names, e.Name)
	}
	return names
}

// Every row is taken for what it is among rows of all other formats, and stays one entry.
func TestFormatsAmongOthers(t *testing.T) {
	for _, f := range []format{unixRows, dosRows, eplfRows, netWareRows, vmsRows, ibmiRows, dataSetRowsAlone} {
		for row, want := range f.rows {
			require.Equal(t, []Entry{want}, listingOf(false, row).Entries, "%q", row)
		}
	}
	for header, f := range map[string]format{dataSetHeader: dataSetRows, memberHeader: memberRows, moduleHeader: moduleRows} {
		for row, want := range f.rows {
			require.Equal(t, []Entry{want}, listingOf(false, header, row).Entries, "%q", row)
		}
	}
	for row, want := range machineRows.rows {
		l := listingOf(true, row)
		require.Zero(t, l.Unparsed)
		switch want.Type {
		case typeParent:
			require.Equal(t, listingOf(true), l, "%q", row)
		case TypeCurrent:
			require.Empty(t, l.Entries)
			require.Equal(t, &want, l.Current, "%q", row)
		default:
			require.Equal(t, []Entry{want}, l.Entries, "%q", row)
		}
	}
}

func TestRows(t *testing.T) {
	for name, c := range map[string]struct {
		machine  bool
		lines    []string
		names    []string
		unparsed int
	}{
		"nothing": {lines: []string{"", " ", "\t", "total 0", "Total 12K", "ls: .: Permission denied", "/bin/ls: no", "%RMS-E-FNF, file not found"}},
		"what is understood and what isn't": {
			lines: []string{"total 8", "what?", "-rw-r--r-- 1 a a 1 Nov 1 2020 a", "total of it", "-rw-r--r-- and no more", "x", "y"},
			names: []string{"a"}, unparsed: 5,
		},
		"names in two lines": {
			lines: []string{"Directory DKA0:[PUB]", "", "LONG.TXT;1", "     64   4-MAR-2019 00:04 [A,B] (RWED,RWED,RWED,R)", "ALONE.TXT;2", "NEXT.DIR;1",
				"     %RMS-E-PRV, no", "LAST.TXT;1", "", "Total of 4 files, 64 blocks.", "Grand total of 1 directory, 4 files, 64 blocks."},
			names: []string{"LONG.TXT;1", "ALONE.TXT;2", "NEXT.DIR;1", "LAST.TXT;1"},
		},
		"a name at the end": {lines: []string{"A.TXT;1"}, names: []string{"A.TXT;1"}},
		"all mainframes at once": {
			lines: []string{dataSetHeader, "MIGRATED                                                A.B.C",
				"XYZ123 3390   2024/01/02  1    1  FB      80 27920  PS  DATA.SET", "FILE123.DAT;1", "64   4-MAR-2019 00:04 [USR,USRGROUP] (RWED,RWED,RWED,R)",
				"QSYS 77824 02/23/00 15:09:55 *DIR QOpenSys/", "QPGMR 3050 01/02/24 10:00:00 *STMF a.txt"},
			names: []string{"A.B.C", "DATA.SET", "FILE123.DAT;1", "QOpenSys", "a.txt"},
		},
		"itself and above": {
			lines: []string{"drwxr-xr-x 2 a a 1 Nov 1 2020 .", "drwxr-xr-x 2 a a 1 Nov 1 2020 ..", "drwxr-xr-x 2 a a 1 Nov 1 2020 ./", "drwxr-xr-x 2 a a 1 Nov 1 2020 ../",
				"01-02-19  03:04PM       <DIR>          .", "01-02-19  03:04PM       <DIR>          ..", "+/,\t.", "+/,\t..", "drwxr-xr-x 2 a a 1 Nov 1 2020 ...",
				"lrwxrwxrwx 1 a a 1 Nov 1 2020 .. -> ."},
			names: []string{"..."},
		},
		"MLSD, itself and above":   {machine: true, lines: []string{"type=cdir; .", "type=pdir; ..", "type=dir; .", "type=dir; ..", "type=pdir; /", "type=file; ...", "nothing"}, names: []string{"..."}, unparsed: 1},
		"MLSD answered as LIST is": {machine: true, lines: []string{"-rw-r--r-- 1 a a 1 Nov 1 2020 a"}, names: []string{"a"}},
		"LIST answered as MLSD is": {lines: []string{"type=file;size=1; a", "a; b"}, names: []string{"a"}, unparsed: 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := listingOf(c.machine, c.lines...)
			require.Equal(t, c.names, names(l))
			require.Equal(t, c.unparsed, l.Unparsed)
			require.Len(t, l.UnparsedSample, min(c.unparsed, maxSample))
			require.False(t, l.Truncated)
		})
	}
	l := listingOf(false, "what? \xff", strings.Repeat("x", 1000))
	require.Equal(t, []string{"what? �", strings.Repeat("x", maxSampleRow)}, l.UnparsedSample)
	require.Equal(t, probe.Yes, listingOf(false, "drwxrwxrwx 2 a a 1 Nov 1 2020 .").Current.Writable)
}

// Rows that aren't understood count as well as entries do.
func TestRowsAreBounded(t *testing.T) {
	r := newRows(false)
	for i := range maxEntries {
		line := "?"
		if i%2 == 0 {
			line = fmt.Sprintf("-rw-r--r-- 1 a a 1 Nov 1 2020 %d", i)
		}
		require.True(t, r.add([]byte(line)))
	}
	require.False(t, r.l.Truncated)
	require.True(t, r.add([]byte("total 5")))
	require.True(t, r.add([]byte("A.TXT;1")))
	require.False(t, r.end())
	require.True(t, r.l.Truncated)
	require.False(t, r.add([]byte("?")))
	require.Len(t, r.l.Entries, maxEntries/2)
	require.Equal(t, maxEntries/2, r.l.Unparsed)
}
