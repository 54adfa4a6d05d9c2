package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/internal/digest"
	"github.com/handclasp/handclasp/internal/userfile"
)

const advisoriesHelp = `Make one index of advisories, which a scan reads by --advisories FILE.

A PATH is a file or a folder of them: records or archives of OSV for Debian, Ubuntu and Alpine, CISA's
catalogue of exploited vulnerabilities (JSON), FIRST's EPSS scores (CSV), gzipped or not. What a file
is, its content tells. The same files in the same order make the same index. Nothing is fetched:
docs/advisories.md says where the files come from.`

func (a *app) advisoriesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "advisories",
		Short: "Make an index of what is known of software",
		Args:  cobra.NoArgs,
	}
	var output string
	build := &cobra.Command{
		Use:     "build --output FILE PATH...",
		Short:   "Make one index of many files",
		Long:    advisoriesHelp,
		Example: `  handclasp advisories build --output advisories.index Debian.zip Ubuntu.zip Alpine.zip kev.json epss.csv.gz`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return &usageError{errors.New("name the files that the index is made of"), cmd.CommandPath()}
			case output == "":
				return &usageError{errors.New("--output is missing: an index is a file"), cmd.CommandPath()}
			}
			return a.buildAdvisories(output, args)
		},
	}
	build.Flags().Var(value[string]{&output, parseFile, text, "FILE"}, "output", "write the index to FILE")
	cmd.AddCommand(build)
	return cmd
}

// buildAdvisories makes an index and says what became of it. The file is whole or as it was.
func (a *app) buildAdvisories(output string, paths []string) error {
	data, err := a.index(paths)
	if err != nil {
		return err
	}
	x, err := advisory.ReadIndex(data)
	if err != nil {
		return err
	}
	if err := writeWhole(output, data); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: as of %s, of %d files\n%s\n", output, x.Date().Format(time.DateOnly), len(x.Sources()), x.Digest())
	return err
}

// writeWhole writes a file beside the one that it then replaces.
func writeWhole(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing is there if it was renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// index makes an index of files and of those in folders.
func (a *app) index(paths []string) ([]byte, error) {
	var b advisory.Builder
	for _, path := range paths {
		err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return addFile(&b, name)
		})
		if err != nil {
			return nil, err
		}
	}
	if n := b.Discarded(); n > 0 {
		a.complain("%d ranges are left out: what bounds them isn't a version", n)
	}
	return b.Index(), nil
}

func addFile(b *advisory.Builder, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return b.Add(name, f, info.Size())
}

// advice are the flags that say what is known of software.
type advice struct {
	paths     []string // files of advisories
	lifeCycle string   // a folder
	judge     advisory.Judge
	read      bool
}

func (d *advice) register(f *pflag.FlagSet) {
	f.StringArrayVar(&d.paths, "advisories", nil, "judge software by PATH as well, an index that advisories build made, or files that it takes; repeatable")
	f.Lookup("advisories").DefValue = ""
	f.Var(value[string]{&d.lifeCycle, parseFile, text, "DIR"}, "lifecycle",
		"judge whether software is maintained by endoflife.date's JSON in DIR, before what is built in")
}

// key says which files these are.
func (d *advice) key() string { return strings.Join(append(slices.Clone(d.paths), d.lifeCycle), "\n") }

// digest names what was read; empty if nothing was, beside what is built in.
func (d *advice) digest() string {
	index, lifeCycle := "", ""
	if d.judge.Index != nil {
		index = d.judge.Index.Digest()
	}
	if d.judge.LifeCycle != nil {
		lifeCycle = d.judge.LifeCycle.Digest()
	}
	if index+lifeCycle == "" {
		return ""
	}
	return digest.Of(index, lifeCycle)
}

// readAdvice reads what the flags name.
func (a *app) readAdvice(d *advice) (err error) {
	if d.read {
		return nil
	}
	if len(d.paths) > 0 {
		if d.judge.Index, err = a.readIndex(d.paths); err != nil {
			return fmt.Errorf("--advisories: %w", err)
		}
	}
	if d.lifeCycle != "" {
		if d.judge.LifeCycle, err = advisory.LoadLifeCycle(os.DirFS(d.lifeCycle)); err != nil {
			return fmt.Errorf("--lifecycle: %s: %w: name a folder of endoflife.date's JSON, such as debian.json", d.lifeCycle, userfile.Cause(err))
		}
	}
	d.read = true
	return nil
}

// readIndex reads one index, or makes one of the files that it would be made of.
func (a *app) readIndex(paths []string) (*advisory.Index, error) {
	for _, path := range paths {
		if !isIndex(path) {
			continue
		}
		if len(paths) > 1 {
			return nil, fmt.Errorf("%s is an index: it goes alone: make one of all the files", path)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		x, err := advisory.ReadIndex(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: make it anew by advisories build", path, err)
		}
		return x, nil
	}
	data, err := a.index(paths)
	if err != nil {
		return nil, err
	}
	return advisory.ReadIndex(data)
}

// isIndex reports whether a file begins as an index does.
func isIndex(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 16)
	n, _ := f.Read(head)
	return advisory.IsIndex(head[:n])
}
