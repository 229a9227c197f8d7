package exec

// Recent returns o with so many flows in memory, for tests of the temporary file.
func Recent(o Options, n int) Options {
	o.recent = n
	return o
}
