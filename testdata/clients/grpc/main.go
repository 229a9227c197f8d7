// Command grpc is a server and a client of gRPC for the tests of flowkit capture.
//
//	grpc serve CERT   serves on localhost until stdin ends; writes its certificate to CERT and its port to stdout
//	grpc call ADDR CA makes calls of each kind through HTTPS_PROXY, trusting CA, and says what came back
//
// It is a module of its own, so that flowkit does not depend on gRPC.
package main

import (
	"fmt"
	"os"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "serve":
		err = serve(args[1])
	case len(args) == 3 && args[0] == "call":
		err = call(args[1], args[2])
	default:
		err = fmt.Errorf("usage: %s serve CERT | call ADDR CA", os.Args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
