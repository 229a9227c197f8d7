//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// tty is for Linux alone; scripts that use it begin with [!linux] skip.
func tty(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("there is no tty here") }
