// Package witness asks servers by clients that others wrote, for tests that hold our evidence against what they see. No
// program links it.
package witness

import (
	"cmp"
	"slices"
	"strings"
	"time"

	jlaffaye "github.com/jlaffaye/ftp"

	"github.com/handclasp/handclasp/ftp"
)

// A File is what both sides can say of an entry.
type File struct {
	Name, Type string
	Size       int64 // of files alone
}

// FTP lists the root of the server at addr as anonymous.
func FTP(addr string, options ...jlaffaye.DialOption) ([]File, error) {
	c, err := jlaffaye.Dial(addr, append(options, jlaffaye.DialWithTimeout(10*time.Second))...)
	if err != nil {
		return nil, err
	}
	defer c.Quit()
	if err := c.Login("anonymous", "handclasp@handclasp.invalid"); err != nil {
		return nil, err
	}
	entries, err := c.List("")
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		f := File{Name: e.Name}
		switch e.Type {
		case jlaffaye.EntryTypeFile:
			f.Type, f.Size = ftp.TypeFile, int64(e.Size)
		case jlaffaye.EntryTypeFolder:
			f.Type = ftp.TypeDirectory
		case jlaffaye.EntryTypeLink:
			f.Type = ftp.TypeLink
		}
		// It takes the listed directory, which has a path for a name in MLSD, and the one above for entries.
		if base := strings.Trim(e.Name, "/"); base != "" && base != "." && base != ".." {
			files = append(files, f)
		}
	}
	return sorted(files), nil
}

// FTPListing is what our evidence says of the same.
func FTPListing(l *ftp.Listing) []File {
	var files []File
	for _, e := range l.Entries {
		f := File{Name: e.Name, Type: e.Type}
		if e.Size != nil {
			f.Size = *e.Size
		}
		files = append(files, f)
	}
	return sorted(files)
}

func sorted(files []File) []File {
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files
}
