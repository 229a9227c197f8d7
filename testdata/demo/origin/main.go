// Origin is the other side of the demo capture: a small shop on the loopback interface, and a client that visits it.
//
//	origin serve -state DIR                              serves until it is stopped
//	origin drive -proxy ADDR -dns ADDR -cacert FILE      visits the shop through a proxy
//
// Serve writes two files into DIR: ca.pem, the authority that signed its certificate, and ports, lines of NAME=ADDR for
// http, https, queue (a line protocol over TCP), sensor (a binary one), dns (UDP) and down (where nothing listens).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: origin serve|drive [flags]")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	state := flags.String("state", ".", "serve: directory for ca.pem and ports")
	proxy := flags.String("proxy", "", "drive: address of the proxy")
	dns := flags.String("dns", "", "drive: address of the DNS proxy")
	cacert := flags.String("cacert", "", "drive: the proxy's certificate authority, in PEM")
	_ = flags.Parse(os.Args[2:]) // ExitOnError: it does not come back with one

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(ctx, *state)
	case "drive":
		err = drive(*proxy, *dns, *cacert)
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
}

func fail(v any) {
	fmt.Fprintln(os.Stderr, "origin:", v)
	os.Exit(1)
}
