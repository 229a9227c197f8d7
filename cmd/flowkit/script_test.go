package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"flowkit": func() { os.Exit(run(os.Args[1:])) }})
}

// TestScript runs testdata/script: each file is one behaviour of the tool.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("FLOWKIT_UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			demo, err := filepath.Abs("../../testdata/demo")
			if err != nil {
				return err
			}
			env.Setenv("DEMO", filepath.Join(demo, "demo.mitm"))
			env.Setenv("DEMODIR", demo)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "ci" {
				return os.Getenv("FLOWKIT_CI") != "", nil
			}
			return false, nil
		},
	})
}
