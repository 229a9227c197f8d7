module flowkit/testdata/bench

go 1.26.0

require flowkit v0.0.0

require golang.org/x/sys v0.49.0 // indirect

replace flowkit => ../..
