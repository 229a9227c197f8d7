package native_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/jsonl"
	"flowkit/flowfile/native"
)

// vector is a file of testdata/vectors/native; its generator says what the header means.
type vector struct {
	expect        string
	flows, damage int
	offset        int64
	sum           string
	data          []byte
}

func readVector(t *testing.T, path string) vector {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, data, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		t.Fatal("no empty line")
	}
	v := vector{data: data}
	for line := range strings.Lines(string(head)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, err := strconv.Atoi(value)
		switch key {
		case "expect":
			v.expect, err = value, nil
		case "flows":
			v.flows = n
		case "damage":
			v.damage = n
		case "offset":
			v.offset = int64(n)
		case "sha256":
			v.sum, err = value, nil
		case "comment":
			err = nil
		default:
			t.Fatalf("key %q", key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func TestVectors(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/vectors/native/*")
	if err != nil || len(paths) < 25 {
		t.Fatal(len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			v := readVector(t, path)
			each(t, v.data, func(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
				v.check(t, name, flows, damage)
				if sum := jsonSum(t, flows); sum != v.sum {
					t.Errorf("%s: the flows are not what they were", name)
				}
			})
			// Heads alone do not see damaged bodies.
			for _, in := range []io.Reader{bytes.NewReader(v.data), onlyReader{bytes.NewReader(v.data)}} {
				flows, damage := read(t, in, native.ReaderOptions{Workers: 1})
				if len(flows) != v.flows || len(damage) > v.damage || v.expect != "bad body" && len(damage) != v.damage {
					t.Errorf("heads: %d flows, %v", len(flows), damage)
				}
			}
			// What was read is written and read again.
			flows, _ := read(t, bytes.NewReader(v.data), native.ReaderOptions{Need: needAll})
			again, damage := read(t, bytes.NewReader(encode(t, flows, native.WriterOptions{})), native.ReaderOptions{Need: needAll})
			if len(damage) > 0 || jsonSum(t, again) != jsonSum(t, flows) {
				t.Errorf("written again: %d of %d flows, %v", len(again), len(flows), damage)
			}
		})
	}
}

func (v *vector) check(t *testing.T, name string, flows []*flowfile.Flow, damage []*flowfile.Damage) {
	t.Helper()
	if len(flows) != v.flows || len(damage) != v.damage {
		t.Errorf("%s: %d flows, %d places of damage: %v", name, len(flows), len(damage), damage)
		return
	}
	if (v.expect == "success") != (len(damage) == 0) {
		t.Errorf("%s: %v", name, damage)
	}
	for _, d := range damage[:min(len(damage), 1)] {
		if !strings.Contains(d.Error(), v.expect) || d.Offset != v.offset || d.Torn != (v.expect == "torn") {
			t.Errorf("%s: %v, want %s at %d", name, d, v.expect, v.offset)
		}
	}
}

func jsonSum(t *testing.T, flows []*flowfile.Flow) string {
	t.Helper()
	sum := sha256.New()
	w := jsonl.NewWriter(sum, jsonl.Options{})
	if err := w.Write(&flowfile.Batch{Flows: flows}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
