package lib

import (
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// RewriteBytesLiterals makes every b"..." in the file a reference to a [Bytes]
// constant and returns the constants, which the caller must add to the
// predeclared names of the file. Their names are the literals themselves, which
// no script can write as a name or shadow, so a literal costs one look-up and no
// allocation. Call it after parsing and before the file is resolved.
func RewriteBytesLiterals(f *syntax.File) starlark.StringDict {
	constants := make(starlark.StringDict)
	fix := func(exprs ...*syntax.Expr) {
		for _, e := range exprs {
			lit, ok := (*e).(*syntax.Literal)
			if !ok || lit.Token != syntax.BYTES {
				continue
			}
			value := Bytes(lit.Value.(string))
			name := value.String()
			constants[name] = value
			*e = &syntax.Ident{NamePos: lit.TokenPos, Name: name}
		}
	}
	fixAll := func(list []syntax.Expr) {
		for i := range list {
			fix(&list[i])
		}
	}
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.AssignStmt:
			fix(&n.LHS, &n.RHS)
		case *syntax.DefStmt:
			fixAll(n.Params)
		case *syntax.ExprStmt:
			fix(&n.X)
		case *syntax.ForStmt:
			fix(&n.Vars, &n.X)
		case *syntax.IfStmt:
			fix(&n.Cond)
		case *syntax.ReturnStmt:
			fix(&n.Result)
		case *syntax.WhileStmt:
			fix(&n.Cond)
		case *syntax.BinaryExpr:
			fix(&n.X, &n.Y)
		case *syntax.CallExpr:
			fix(&n.Fn)
			fixAll(n.Args)
		case *syntax.Comprehension:
			fix(&n.Body)
		case *syntax.CondExpr:
			fix(&n.Cond, &n.True, &n.False)
		case *syntax.DictEntry:
			fix(&n.Key, &n.Value)
		case *syntax.DotExpr:
			fix(&n.X)
		case *syntax.ForClause:
			fix(&n.Vars, &n.X)
		case *syntax.IfClause:
			fix(&n.Cond)
		case *syntax.IndexExpr:
			fix(&n.X, &n.Y)
		case *syntax.LambdaExpr:
			fixAll(n.Params)
			fix(&n.Body)
		case *syntax.ListExpr:
			fixAll(n.List)
		case *syntax.ParenExpr:
			fix(&n.X)
		case *syntax.SliceExpr:
			fix(&n.X, &n.Lo, &n.Hi, &n.Step)
		case *syntax.TupleExpr:
			fixAll(n.List)
		case *syntax.UnaryExpr:
			fix(&n.X)
		}
		return true
	})
	return constants
}

// UsesState reports whether a file refers to the predeclared name state, rather
// than to a variable of its own with that name. Such a script must see its flows
// in order. A file that does not resolve counts as using it.
//
// UsesState resolves the file; resolving it again afterwards is fine.
func UsesState(f *syntax.File) bool {
	used := false
	err := resolve.File(f, func(name string) bool {
		used = used || name == "state"
		return true
	}, func(string) bool { return false })
	return used || err != nil
}
