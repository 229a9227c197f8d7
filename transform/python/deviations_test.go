package python_test

import "regexp"

// deviation is a difference that is meant, and why.
type deviation struct {
	match *regexp.Regexp // of the message about it
	why   string
}

func dev(match, why string) deviation { return deviation{regexp.MustCompile(`(?s)` + match), why} }

// deviations are the differences between mitmdump 8.1.1 and flowkit that are meant, by
// script. One that does not occur any more fails the test.
var deviations = map[string][]deviation{}
