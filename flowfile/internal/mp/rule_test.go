package mp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const library = `"github.com/vmihailenco/msgpack/v5"`

// tokenCalls are the calls of the library's decoder that cost no more than the bytes they
// read. Everything else can be made to exhaust memory (DecodeBytes, DecodeMap, DecodeSlice,
// Unmarshal) or the stack (Skip, DecodeRaw, DecodeInterface) by a few hostile bytes.
var tokenCalls = map[string]bool{
	"DecodeMapLen": true, "DecodeArrayLen": true, "DecodeBytesLen": true, "DecodeString": true,
	"DecodeInt64": true, "DecodeUint64": true, "DecodeBool": true, "DecodeFloat64": true,
	"DecodeNil": true, "PeekCode": true,
}

// TestOnlyTokenCalls keeps two rules for the whole tree: no package but this one imports the
// msgpack library, and nobody calls its decoder for more than tokens. Generators of test data
// may import it: vectors made without this package are worth more.
func TestOnlyTokenCalls(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	seen := false
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() != ".." && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if file == nil {
			return err
		}
		if !imports(file, library) {
			return nil
		}
		slashed := filepath.ToSlash(path)
		ours := strings.HasPrefix(slashed, "../../../flowfile/internal/mp/")
		if !ours && !strings.Contains(slashed, "/testdata/") {
			t.Errorf("%s imports the msgpack library; use flowfile/internal/mp", path)
		}
		seen = seen || ours
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && forbidden(s) {
				t.Errorf("%s calls %s of the msgpack library", path, s.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !seen {
		t.Error("no file checked")
	}
}

func imports(file *ast.File, path string) bool {
	for _, i := range file.Imports {
		if i.Path.Value == path {
			return true
		}
	}
	return false
}

// forbidden reports whether s selects something of the decoder that is not a token call.
func forbidden(s *ast.SelectorExpr) bool {
	name := s.Sel.Name
	if strings.HasPrefix(name, "Decode") && name != "Decoder" || name == "Unmarshal" {
		return !tokenCalls[name]
	}
	if name != "Skip" && name != "ReadFull" {
		return false
	}
	switch x := s.X.(type) {
	case *ast.CallExpr: // r.decoder().Skip
		f, ok := x.Fun.(*ast.SelectorExpr)
		return ok && f.Sel.Name == "decoder"
	case *ast.SelectorExpr: // r.dec.Skip
		return x.Sel.Name == "dec"
	case *ast.Ident: // d.Skip
		return x.Name == "d" || x.Name == "dec"
	}
	return false
}

func TestForbidden(t *testing.T) {
	for src, want := range map[string]bool{
		"r.decoder().Skip()": true, "r.dec.Skip()": true, "r.Skip()": false,
		"d.DecodeBytes()": true, "d.DecodeBytesLen()": false, "msgpack.Unmarshal(b, &v)": true,
		"d.DecodeInterface()": true, "d.DecodeMapLen()": false, "d.Decode(&v)": true,
	} {
		e, err := parser.ParseExpr(src)
		if err != nil {
			t.Fatal(err)
		}
		got := false
		ast.Inspect(e, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			got = got || ok && forbidden(s)
			return true
		})
		if got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
}
