package python_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRealAsMitmdump runs the scripts of TestAsMitmdump with --real-mitmproxy, in the very
// mitmproxy that mitmdump is of: the deviations that remain are those of how flowkit stores
// flows and handles errors. FLOWKIT_LONG=1 runs all scripts.
func TestRealAsMitmdump(t *testing.T) {
	python := needDebian(t)
	flowkit := buildFlowkit(t)
	scripts, err := filepath.Glob("testdata/scripts/[a-z]*.py")
	if err != nil || len(scripts) < 60 {
		t.Fatalf("only %d scripts: %v", len(scripts), err)
	}
	some := []string{
		"all_events", "async_tasks", "concurrent_hooks", "dns_edit", "edit_content", "get_connections", "get_state", "halt",
		"log_levels", "made_flows", "messages_seen", "metadata", "options_errors", "options_stock",
	}
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".py")
		if os.Getenv("FLOWKIT_LONG") == "" && realDeviations[name] == nil && !slices.Contains(some, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComparison(t, script)
			c.flowkit, c.python, c.deviations, c.real = flowkit, python, realDeviations, true
			if c.skip == "" { // it is not one for newer versions
				c.compare()
			}
		})
	}
}

const inStorage = "flowkit cannot store it: it is reported, and stays as it was"

var realDeviations = map[string][]deviation{
	"backups":        {dev(`\.backup: want`, backup)},
	"commands_stock": {dev(`\.backup: want`, backup)},
	"conn_edit":      {dev(`alpn: want None, got ""`, noALPN)},
	"edit_headers":   {dev(`WrongType|\["x",, None\]`, inStorage)},
	"edit_request":   {dev(`WrongType|(path|scheme|http_version|authority|port): want None`, inStorage), dev(`timestamp_(start|end): want`, times)},
	"edit_response":  {dev(`timestamp_start: want "1"#, got "1\.0"`, times)},
	"errors_kinds":   {dev(`StopIteration`, "mitmproxy loses StopIteration")},
	"exit":           {dev(`exit code: want 3, got 5`, exitCode)},
	"exit_text":      {dev(`#11 .*mitmdump has not got it`, "the flow in hand is written, whichever hook ended the run"), dev(`exit code: want 1, got 5`, exitCode)},
	"late_changes":   {dev(`changed in done`, "flowkit writes flows as they come; done is too late for changes")},
	"load_option":    {dev(`mitmdump has 0 for a script|mitmdump reports no error`, "mitmproxy 8 drops an option that it cannot parse")},
	"module_facts":   {dev(`line 1:.*__cached__|line 4:.*True True`, "details of the import system; the module is in sys.modules, as dataclasses and pickle want it")},
	"two_scripts":    {dev(`X-After`, "a script that raises does not keep the next one from the event; in mitmproxy it does")},
	"update_hook":    {dev(`\.metadata\.(last|updates)`, saved)},
	"wrong_types": {
		dev(`#(4|8|12|16|20|24|28|36|40|44|48|52|56|60|64|68|72|76|80|84|88|92|108|109|146) |WrongType|5: flowkit has not got it`, inStorage),
	},
	"ws_close": {dev(`close_reason: want None, got ""`, absent)},
}
