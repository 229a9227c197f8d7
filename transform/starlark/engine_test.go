package starlark_test

import (
	"os"
	"testing"

	"flowkit/transform/enginetest"
	"flowkit/transform/starlark"
)

func TestEngine(t *testing.T) {
	d := enginetest.Dialect{Scripts: os.DirFS("../enginetest/testdata/starlark"), Ext: ".star"}
	enginetest.Run(t, starlark.Engine{}, d)
	t.Run("live", func(t *testing.T) { enginetest.RunLive(t, starlark.Engine{}, d) })
}
