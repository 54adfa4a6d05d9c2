package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/handclasp/handclasp/internal/lazy"
	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/report"
)

const configHelp = `Print what is set by a file or by the environment, and where, or all flags of a COMMAND.

A flag counts before a variable, a variable before the file, the file before what is built in. The
variable of --host-spacing is HANDCLASP_HOST_SPACING, and so on for every flag of every command. The
file is handclasp.yaml in the folder handclasp of the user's configuration (on Linux
~/.config/handclasp/handclasp.yaml), or what --config or HANDCLASP_CONFIG names; never one of the
working folder. It holds flags' names and values, for all commands that have them, or below a
command's name for that one, which counts more:

  contact: abuse@example.org
  exclude-file: /etc/handclasp/never.txt
  scan:
    rate: 200
    only: [ftp, smb]

What this command prints is such a file.`

// envPrefix begins the names of variables that stand for flags.
const envPrefix = "HANDCLASP_"

// A setting is a value for a flag that stands somewhere else than on the command line.
type setting struct {
	values []string // one, or those of a list
	list   bool
	place  string
	err    func(error) error // words what is wrong with it
}

// A configuration is what is set beside the command line.
type configuration struct {
	path    string                        // of the file; empty for none
	file    map[string]map[string]setting // by the command's name, or "" for all, and the flag's
	sources map[*pflag.Flag]string        // where a flag's value is from
}

// configure sets the flags of cmd that the command line doesn't, and finds out whether all that is set is a flag's.
func (a *app) configure(cmd *cobra.Command, path string) error {
	c := &a.config
	c.sources = map[*pflag.Flag]string{}
	commands := commandsOf(cmd.Root())
	if err := misspelt(os.Environ(), commands); err != nil {
		return err
	}
	if err := c.read(path, commands); err != nil {
		return err
	}
	return c.apply(cmd)
}

// apply sets the flags of a command that it wasn't given.
func (c *configuration) apply(cmd *cobra.Command) (err error) {
	name := nameOf(cmd)
	eachFlag(cmd, func(f *pflag.Flag) {
		if f.Changed || err != nil {
			return
		}
		s, ok := fromEnvironment(f.Name)
		if !ok {
			s, ok = c.file[name][f.Name]
		}
		if !ok {
			s, ok = c.file[""][f.Name]
		}
		if !ok {
			return
		}
		if bad := s.set(f); bad != nil {
			err = s.err(bad)
		}
		c.sources[f] = s.place
	})
	return err
}

// set gives the flag its value. It doesn't count as given: names of files say formats before it, for one.
func (s setting) set(f *pflag.Flag) error {
	if !s.list {
		return f.Value.Set(s.values[0])
	}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.Replace(s.values)
	}
	if v, ok := f.Value.(interface{ isList() bool }); ok && v.isList() {
		return f.Value.Set(strings.Join(s.values, ","))
	}
	return errors.New("one value is needed, and no list")
}

func fromEnvironment(flag string) (setting, bool) {
	name := envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	value := os.Getenv(name)
	return setting{values: []string{value}, place: name, err: func(err error) error {
		return fmt.Errorf("%s=%q: %w", name, value, err)
	}}, value != ""
}

// misspelt refuses variables that are nearly a flag's. Others may be somebody else's.
func misspelt(environment []string, commands []*cobra.Command) error {
	names := append(flagNames(commands...), "config") // the file's own
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		flag, ours := strings.CutPrefix(name, envPrefix)
		flag = strings.ToLower(strings.ReplaceAll(flag, "_", "-"))
		if !ours || value == "" || slices.Contains(names, flag) {
			continue
		}
		if near := userfile.Nearest(flag, names); near != "" {
			return fmt.Errorf("%s: no flag is called --%s: --%s is meant? Then set %s%s, or unset it", name, flag, near,
				envPrefix, strings.ToUpper(strings.ReplaceAll(near, "-", "_")))
		}
	}
	return nil
}

// read reads the file that is named, or the user's if there is one.
func (c *configuration) read(path string, commands []*cobra.Command) error {
	c.path, c.file = path, map[string]map[string]setting{"": {}}
	if path == "" {
		if c.path = usersFile(); c.path == "" {
			return nil
		}
		if _, err := os.Stat(c.path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	y := userfile.YAML{Path: c.path}
	root, err := y.Read()
	if err != nil || root == nil {
		return err
	}
	sections := map[string]*cobra.Command{}
	known := flagNames(commands...)
	for _, cmd := range commands {
		if name := nameOf(cmd); name != "" {
			sections[name], known = cmd, append(known, name)
		}
	}
	return y.Members(root, known, func(key string, value *yaml.Node) error {
		cmd := sections[key]
		if cmd == nil || value.Kind != yaml.MappingNode && slices.Contains(flagNames(commands...), key) {
			return c.take(y, "", key, value)
		}
		return y.Members(value, flagNames(cmd), func(flag string, value *yaml.Node) error { return c.take(y, key, flag, value) })
	})
}

func (c *configuration) take(y userfile.YAML, section, flag string, value *yaml.Node) error {
	words, err := userfile.Scalars(value)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	if c.file[section] == nil {
		c.file[section] = map[string]setting{}
	}
	c.file[section][flag] = setting{values: words, list: value.Kind == yaml.SequenceNode, place: fmt.Sprintf("%s:%d", y.Path, value.Line), err: func(err error) error {
		if section == "" {
			err = fmt.Errorf("%w: if another command is meant, put it below the name of that one", err)
		}
		return y.Bad(value, fmt.Errorf("%s: %w", flag, err))
	}}
	return nil
}

// configured reports whether settings are of use to a command: of those that tell of the program itself none is.
func configured(cmd *cobra.Command) bool {
	return cmd.HasParent() && cmd.Name() != "version" && !cmd.Hidden && cmd.Name() != "help" && cmd.Parent().Name() != "completion"
}

// usersFile is where the configuration is unless it is named; empty if the system doesn't know the user.
func usersFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "handclasp", "handclasp.yaml")
}

// commandsOf are a command and those below it that do something.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, below := range cmd.Commands() {
		if !below.Hidden && below.Name() != "help" {
			all = append(all, commandsOf(below)...)
		}
	}
	return all
}

// nameOf is a command's name without that of the program.
func nameOf(cmd *cobra.Command) string {
	return strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
}

// eachFlag calls f with the flags that can be set.
func eachFlag(cmd *cobra.Command, f func(*pflag.Flag)) {
	cmd.LocalFlags() // as cobra does it, those of all commands come in only so
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "help" && flag.Name != "version" && flag.Name != "config" {
			f(flag)
		}
	})
}

func flagNames(commands ...*cobra.Command) (names []string) {
	for _, cmd := range commands {
		eachFlag(cmd, func(f *pflag.Flag) {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		})
	}
	return names
}

func (a *app) configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config [COMMAND]",
		Short: "Print what is set by a file or the environment, and where",
		Long:  configHelp,
		Example: `  handclasp config
  handclasp config scan
  HANDCLASP_RATE=100 handclasp config`,
		RunE: func(cmd *cobra.Command, args []string) error {
			meant := strings.Join(args, " ")
			if err := a.config.printPlace(cmd.OutOrStdout()); err != nil {
				return err
			}
			for _, c := range commandsOf(cmd.Root()) {
				if name := nameOf(c); name == "" || meant != "" && name != meant {
					continue
				}
				if err := a.config.apply(c); err != nil {
					return err
				}
				if err := a.printConfig(cmd, c, meant != ""); err != nil {
					return err
				}
				if meant != "" {
					return nil
				}
			}
			if meant != "" {
				return &usageError{fmt.Errorf("no command is called %q", meant), cmd.CommandPath()}
			}
			return nil
		},
	}
}

// printPlace says where the file is, or would be.
func (c *configuration) printPlace(w io.Writer) error {
	text := c.path
	if _, err := os.Stat(c.path); err != nil {
		text += " (which isn't there)"
	}
	if c.path == "" {
		text = "none: the system doesn't say where the user's configuration is"
	}
	_, err := fmt.Fprintf(w, "# file: %s\n", report.Clean(text))
	return err
}

// printConfig prints what is set of a command, or all of its flags.
func (a *app) printConfig(to, cmd *cobra.Command, all bool) (err error) {
	var lines []string
	eachFlag(cmd, func(f *pflag.Flag) {
		place := a.config.sources[f]
		if place == "" && !all {
			return
		}
		if place == "" {
			lines = append(lines, strings.TrimRight(fmt.Sprintf("  # %s: %s", f.Name, f.Value), " ")+"\n")
			return
		}
		lines = append(lines, fmt.Sprintf("  %s: %s # %s\n", f.Name, shown(f), place))
	})
	if len(lines) == 0 {
		return nil
	}
	name, _ := yaml.Marshal(nameOf(cmd))
	_, err = fmt.Fprintf(to.OutOrStdout(), "%s:\n%s", strings.TrimSpace(string(name)), strings.Join(lines, ""))
	return err
}

// shown is a flag's value in YAML, a proxy's without its password.
func shown(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		text, _ := yaml.Marshal(list.GetSlice())
		var n yaml.Node
		_ = yaml.Unmarshal(text, &n)
		if len(n.Content) > 0 {
			n.Content[0].Style = yaml.FlowStyle
			text, _ = yaml.Marshal(n.Content[0])
		}
		return strings.TrimSpace(string(text))
	}
	value := f.Value.String()
	if u, err := url.Parse(value); err == nil && u.User != nil {
		value = u.Redacted()
	}
	if plainWord().MatchString(value) && value != "null" {
		return value
	}
	text, _ := yaml.Marshal(value)
	return strings.TrimSpace(string(text))
}

// plainWord is what needs no quotes in YAML: a value's text is all that is read of it.
var plainWord = lazy.Pattern(`^[A-Za-z0-9/][A-Za-z0-9/._@+-]*$`)
