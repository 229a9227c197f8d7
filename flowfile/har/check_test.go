package har

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// harCheck returns the command that runs har-validator, and with --k6 har-to-k6, on files. Without node, or the packages, the
// test skips; in CI it fails.
func harCheck(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	skip := t.Skip
	if os.Getenv("FLOWKIT_CI") != "" {
		skip = t.Fatal
	}
	check, err := filepath.Abs("../../testdata/harcheck/check.js")
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		skip("no node here")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(check), "node_modules", "har-to-k6")); err != nil {
		skip("har-validator and har-to-k6 are not installed: npm ci in testdata/harcheck")
	}
	return exec.Command(node, append([]string{check}, args...)...)
}

// validate runs har-validator on files.
func validate(t *testing.T, files ...string) {
	t.Helper()
	if out, err := harCheck(t, files...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
