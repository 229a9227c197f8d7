package ca_test

import (
	"fmt"
	"os"

	"flowkit/live/ca"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	authority, err := ca.Load(dir) // made, for it is the first time
	if err != nil {
		panic(err)
	}
	leaf, err := authority.Leaf(ca.Mirror(nil, "example.com", "192.0.2.7"))
	if err != nil {
		panic(err)
	}
	fmt.Println(leaf.Leaf.DNSNames, leaf.Leaf.IPAddresses)
	// Output: [example.com] [192.0.2.7]
}
