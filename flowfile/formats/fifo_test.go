//go:build unix

package formats_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"flowkit/flowfile/formats"
)

// A named pipe whose writer dies in the middle of a record gives what came before.
func TestFIFO(t *testing.T) {
	for _, format := range []string{"flow", "mitm", "jsonl"} {
		for _, whole := range []bool{true, false} {
			path := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Skip(err)
			}
			first, second := write(t, format, 8), write(t, format, 5)
			if !whole {
				second = second[:len(second)/2]
			}
			if whole && format == "flow" {
				second = second[:len(second):len(second)]
			}
			go func() {
				f, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err != nil {
					t.Error(err)
					return
				}
				defer f.Close()
				for _, b := range [][]byte{first[:3], first[3:], second} { // what is sniffed comes in pieces
					if _, err := f.Write(b); err != nil {
						t.Error(err)
					}
					time.Sleep(5 * time.Millisecond)
				}
			}()
			s := &formats.Files{Paths: []string{path}, Options: formats.ReadOptions{Need: needAll, TempDir: t.TempDir()}}
			if err := s.Start(); err != nil {
				t.Fatal(format, err)
			}
			flows, damage, err := count(s)
			if err != nil || flows < 8 || whole && flows != 13 || (len(damage) == 0) != whole {
				t.Errorf("%s, whole %v: %d flows, %v, %v", format, whole, flows, damage, err)
			}
			if _, total := s.Progress(); total != 0 {
				t.Errorf("%s: the size of a pipe is known: %d", format, total)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
