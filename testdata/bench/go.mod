module flowkit/testdata/bench

go 1.26.0

require flowkit v0.0.0

replace flowkit => ../..
