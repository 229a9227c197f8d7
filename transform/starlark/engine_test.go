package starlark_test

import (
	"os"
	"testing"

	"flowkit/transform/enginetest"
	"flowkit/transform/starlark"
)

func TestEngine(t *testing.T) {
	enginetest.Run(t, starlark.Engine{}, enginetest.Dialect{
		Scripts: os.DirFS("../enginetest/testdata/starlark"), Ext: ".star",
	})
}
