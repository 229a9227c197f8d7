//go:build !unix

package exec

import osexec "os/exec"

func ownGroup(*osexec.Cmd) {}

// killGroup ends cmd, but not what it started.
func killGroup(cmd *osexec.Cmd) { _ = cmd.Process.Kill() }
