// Package python runs mitmproxy's addons, unmodified, in the user's own python3.
//
// A package named mitmproxy, written for this and of nothing but the standard library, is
// part of flowkit (shim/); it is extracted once to the user's cache. A child process runs all
// scripts of a run as one chain and gets flows in batches; what a script does not touch is
// not even decoded there, and only what it changed comes back. PROTOCOL.md is the contract of
// the two sides.
//
//	Engine        finds python3, starts workers, loads the scripts      engine.go
//	interpreter   which python3, behind shims of version managers       interpreter.go
//	shim          the package and where it is extracted                 shim.go
//	Session       batches to workers and back                           session.go
//	worker        one process: frames and batches                       worker.go
//	              what comes back of a batch                            results.go
//	              its start, time limit, crash and end                  life.go
//	arena         memory that is shared with it                         arena_unix.go
//	marshal       Python's own encoding of values                       marshal.go
//	record        flow → what the child gets of it                      record.go
//	fetch         what it asks for later: bodies, connections           fetch.go
//	apply         what came back → flow                                 apply.go
//	live          events of traffic as it happens                       live.go
//	              what comes back of them                               life_live.go
package python
