package formats_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/formats"
)

// TestSearch: a dump whose first record is damaged is a dump.
func TestSearch(t *testing.T) {
	data := write(t, "mitm", 5)
	for name, damaged := range map[string][]byte{
		"a line in front":         append([]byte("\n"), data...),
		"the beginning is gone":   data[7:],
		"a length beyond reason":  append([]byte("4611686018427387904:"), data...),
		"zeros in front":          append(make([]byte, 4096), data...),
		"half a megabyte of them": append(make([]byte, 512<<10), data...),
	} {
		for compression, b := range map[string][]byte{"": damaged, "gzip": gzipped(t, damaged), "zstd": zstded(t, damaged)} {
			in, err := formats.Open(save(t, "a", b), formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
			if err != nil {
				t.Errorf("%s %s: %v", name, compression, err)
				continue
			}
			flows, damage, err := count(in)
			if in.Format.Name != "mitm" || flows < 4 || err != nil || len(damage) != 1 {
				t.Errorf("%s %s: %s, %d flows, %v, %v", name, compression, in.Format.Name, flows, damage, err)
			}
			if d := new(flowfile.Damage); len(damage) > 0 && (!errors.As(damage[0], &d) || d.Offset != 0) {
				t.Errorf("%s %s: %v, want it at byte 0", name, compression, damage[0])
			}
			in.Close()
		}
	}
	if _, err := formats.Open(save(t, "a", append(make([]byte, formats.SearchLen), data...)), formats.ReadOptions{}); !errors.Is(err, formats.ErrUnknown) {
		t.Errorf("too far behind: %v", err)
	}
	if _, err := formats.Open(save(t, "a", []byte(strings.Repeat("12:no record;", 1<<18))), formats.ReadOptions{}); !errors.Is(err, formats.ErrUnknown) {
		t.Errorf("colons: %v", err)
	}
}

// TestSearchPipe is TestSearch for an input that cannot be read twice.
func TestSearchPipe(t *testing.T) {
	data := append([]byte("garbage 12:"), write(t, "mitm", 5)...)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		_, _ = io.Copy(w, bytes.NewReader(data))
	}()
	in, err := formats.OpenFile(r, formats.ReadOptions{Need: needAll, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if flows, damage, err := count(in); flows != 5 || len(damage) != 1 || err != nil {
		t.Errorf("%d flows, %v, %v", flows, damage, err)
	}
}
