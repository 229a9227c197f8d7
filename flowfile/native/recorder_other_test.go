//go:build !linux

package native_test

import "errors"

const filling = "FLOWKIT_TEST_FILLING"

func fill(string) error { return errors.New("only on Linux") }
