module flowkit/testdata/bench

go 1.26.0

require (
	flowkit v0.0.0
	github.com/elazarl/goproxy v1.9.3
)

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace flowkit => ../..
