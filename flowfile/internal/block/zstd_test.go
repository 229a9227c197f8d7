package block

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile/internal/mp"
)

// checkStream fails unless b is the documented stream: entries and chunks.
func checkStream(t *testing.T, b []byte, entries int) {
	t.Helper()
	var r mp.Reader
	r.Reset(b)
	n := 0
	for r.Len() > 0 && r.Err() == nil {
		switch r.ArrayLen() {
		case 2: // [refs, record]
			n++
			r.Skip()
			if r.Kind() != mp.KindMap {
				t.Fatalf("entry %d: record is a %v", n, r.Kind())
			}
			r.Skip()
		case 4: // [rec, part, off, bin]
			r.Int()
			r.Int()
			r.Int()
			if r.Kind() != mp.KindBin {
				t.Fatalf("chunk content is a %v", r.Kind())
			}
			r.Skip()
		default:
			t.Fatal("neither an entry nor a chunk")
		}
	}
	if r.Err() != nil || n < entries {
		t.Errorf("%d entries, %v", n, r.Err())
	}
}

func TestDecompressedStream(t *testing.T) {
	a, ae := small(t, 1, WriterOptions{})
	b, be := small(t, 2, WriterOptions{})
	dec, err := zstd.NewReader(bytes.NewReader(append(a, b...)))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(dec); err != nil {
		t.Fatal(err)
	}
	checkStream(t, out.Bytes(), len(ae)+len(be))
}

func TestZstdCommand(t *testing.T) {
	zstd, err := exec.LookPath("zstd")
	if err != nil {
		t.Skip("no zstd command")
	}
	dir := t.TempDir()
	entries := sample(1, 30, 2000)
	entries[3].Parts[0].Data = append(noise(rng(1), 1000), syncMarker...) // a reframed segment
	entries[3].Parts[0].Incompressible = true
	var names []string
	for i, level := range []Level{LevelFastest, LevelDefault, LevelBetter, LevelBest} {
		name := filepath.Join(dir, string(rune('a'+i))+".flow.zst")
		if err := os.WriteFile(name, write(t, WriterOptions{Level: level, BlockSize: 9000}, entries), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if out, err := exec.Command(zstd, append([]string{"-t"}, names...)...).CombinedOutput(); err != nil {
		t.Errorf("zstd -t: %v: %s", err, out)
	}
	out, err := exec.Command(zstd, append([]string{"-dc"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	checkStream(t, out, 4*len(entries))
}
