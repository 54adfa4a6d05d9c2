package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
)

const module = "github.com/handclasp/handclasp/"

// comments are what the source says of types and their fields.
type comments struct {
	root   string
	byName map[string]map[string]string // by package, then by "Type" or "Type.Field"
}

// of returns the comment of a type, or of one of its fields, on one line; empty for types of other modules.
func (c *comments) of(t reflect.Type, field string) (string, error) {
	dir, ours := strings.CutPrefix(t.PkgPath(), module)
	if !ours {
		return "", nil
	}
	if c.byName == nil {
		c.byName = map[string]map[string]string{}
	}
	if c.byName[dir] == nil {
		c.byName[dir] = map[string]string{}
		if err := c.read(dir); err != nil {
			return "", err
		}
	}
	name := t.Name()
	if field != "" {
		name += "." + field
	}
	return c.byName[dir][name], nil
}

func (c *comments) read(dir string) error {
	files, err := filepath.Glob(filepath.Join(c.root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		return err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				c.declared(dir, g)
			}
		}
	}
	return nil
}

func (c *comments) declared(dir string, g *ast.GenDecl) {
	for _, s := range g.Specs {
		spec, ok := s.(*ast.TypeSpec)
		if !ok {
			continue
		}
		c.byName[dir][spec.Name.Name] = text(spec.Doc, g.Doc)
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range structure.Fields.List {
			for _, name := range f.Names {
				c.byName[dir][spec.Name.Name+"."+name.Name] = text(f.Doc, f.Comment)
			}
		}
	}
}

// text is the first comment there is, as running text: links lose their brackets.
func text(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if g != nil {
			return strings.NewReplacer("[", "", "]", "").Replace(strings.Join(strings.Fields(g.Text()), " "))
		}
	}
	return ""
}
