package userfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxYAML bounds a file that people write.
const maxYAML = 4 << 20

// A YAML is a file of YAML, which knows where in it something stands.
type YAML struct{ Path string }

// Read returns the document's first node, nil if the file holds none.
func (y YAML) Read() (*yaml.Node, error) {
	file, err := os.Open(y.Path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: name a file of YAML", y.Path, Cause(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxYAML+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w: name a file of YAML", y.Path, Cause(err))
	case len(data) > maxYAML:
		return nil, fmt.Errorf("%s: more than %d MiB: name a file of YAML that somebody wrote", y.Path, maxYAML>>20)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		line, text, _ := strings.Cut(strings.TrimPrefix(err.Error(), "yaml: line "), ": ")
		if text == "" {
			return nil, fmt.Errorf("%s: no YAML: %s", y.Path, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		return nil, fmt.Errorf("%s:%s: no YAML: %s", y.Path, line, text)
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

// A placed error says where in a file something is wrong.
type placed struct {
	path string
	line int
	err  error
}

func (e *placed) Error() string { return fmt.Sprintf("%s:%d: %v", e.path, e.line, e.err) }
func (e *placed) Unwrap() error { return e.err }

// Bad says where it stands that something is wrong, unless err knows better.
func (y YAML) Bad(n *yaml.Node, err error) error {
	if inner := (*placed)(nil); errors.As(err, &inner) {
		return err
	}
	return &placed{y.Path, n.Line, err}
}

// Members calls f with each member of a mapping, which must be among those that are known.
func (y YAML) Members(n *yaml.Node, known []string, f func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return y.Bad(n, fmt.Errorf("names and values are needed, as in %s: …", known[0]))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			return y.Bad(key, fmt.Errorf("unknown key %q: %s", key.Value, oneOfThese(key.Value, known)))
		case seen[key.Value]:
			return y.Bad(key, fmt.Errorf("%s is there twice: leave one out", key.Value))
		}
		seen[key.Value] = true
		if err := f(key.Value, value); err != nil {
			return y.Bad(value, err)
		}
	}
	return nil
}

// oneOfThese says what to write in place of a word.
func oneOfThese(word string, known []string) string {
	const few = 8
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf("%s is meant?", near)
	}
	if len(known) > few {
		return "leave it out"
	}
	last := len(known) - 1
	if last == 0 {
		return "use " + known[0]
	}
	return fmt.Sprintf("use %s or %s", strings.Join(known[:last], ", "), known[last])
}

// Nearest is the word that is one slip of the hand away; empty for none.
func Nearest(word string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := slips(word, k); d < least && d < len(k)/2 {
			best, least = k, d
		}
	}
	return best
}

// slips counts the letters that are to be put in, taken out or changed to make b of a.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// Scalar returns a value that is one word or text.
func Scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", errors.New("one value is needed")
	}
	return n.Value, nil
}

// Scalars returns a list of them, or one of one.
func Scalars(n *yaml.Node) (all []string, err error) {
	if n.Kind != yaml.SequenceNode {
		one, err := Scalar(n)
		return []string{one}, err
	}
	for _, item := range n.Content {
		one, bad := Scalar(item)
		all, err = append(all, one), cmp.Or(err, bad)
	}
	return all, err
}
