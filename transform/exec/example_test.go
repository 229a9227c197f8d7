package exec_test

import (
	"context"
	"fmt"

	"flowkit/flowfile"
	"flowkit/transform/exec"
)

func ExampleSource() {
	in := sourceOf(requests(12))
	s := exec.Source(context.Background(), in, `grep '/1[0-9]*"' | sed 's/"status":200/"status":404/'`, exec.Options{})
	defer s.Close()
	for f, err := range flowfile.Flows(s) {
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := f.Response().Body().Bytes(-1)
		fmt.Printf("%s %d %s\n", f.Request().Path(), f.Response().Status(), body)
	}
	// Output:
	// /1 404 body 1 ü
	// /10 404 body 10 ü
	// /11 404 body 11 ü
}
