package lib_test

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"flowkit/transform/starlark/lib"
)

// An engine parses, makes bytes literals the one bytes type, and compiles with
// the predeclared names of this package and its own.
func Example() {
	const src = `
def response(body):
    m = re.search(rb"id=(\d+)", body)
    return json.dumps({"id": int(m[1].decode())})
`
	f, err := (&syntax.FileOptions{}).Parse("script.star", src, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	predeclared := lib.Predeclared()
	for name, value := range lib.RewriteBytesLiterals(f) {
		predeclared[name] = value
	}
	prog, err := starlark.FileProgram(f, predeclared.Has)
	if err != nil {
		fmt.Println(err)
		return
	}
	thread := new(starlark.Thread)
	globals, err := prog.Init(thread, predeclared)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := starlark.Call(thread, globals["response"], starlark.Tuple{lib.Bytes("/user?id=42")}, nil)
	fmt.Println(v, err)
	// Output: "{\"id\": 42}" <nil>
}
