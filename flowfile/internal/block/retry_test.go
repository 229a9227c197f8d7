package block

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// fullDisk is a file that takes room bytes more, and may refuse to be cut off.
type fullDisk struct {
	*os.File
	fixed bool
	mu    sync.Mutex
	room  int
}

// make gives the disk room for n bytes.
func (d *fullDisk) make(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = n
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.File.Write(b[:min(len(b), d.room)])
	d.room -= n
	if err == nil && n < len(b) {
		err = errFull
	}
	return n, err
}

func (d *fullDisk) Truncate(size int64) error {
	if d.fixed {
		return errors.New("cannot be cut")
	}
	return d.File.Truncate(size)
}

// What an error kept from being written is written when there is space again, behind the
// partial block if that stays; what was refused was refused with an error.
func TestRetry(t *testing.T) {
	for _, workers := range []int{1, 3} {
		for _, fixed := range []bool{false, true} {
			for room := 0; room < 9000; room += 450 {
				testRetry(t, workers, fixed, room)
			}
		}
	}
}

func testRetry(t *testing.T, workers int, fixed bool, room int) {
	path := filepath.Join(t.TempDir(), "a.flow")
	w, _, err := OpenAppend(path, WriterOptions{BlockSize: 2000, Workers: workers}, false)
	if err != nil {
		t.Fatal(err)
	}
	disk := &fullDisk{File: w.file, room: room, fixed: fixed}
	w.out.w, w.out.file = disk, disk
	var taken []*Entry
	refused := 0
	for i, e := range sample(3, 60, 500) {
		switch err := w.Add(e); {
		case err == nil:
			taken = append(taken, e)
		case !errors.Is(err, errFull):
			t.Fatal(err)
		default:
			refused++
			if err := w.Retry(); !errors.Is(err, errFull) {
				t.Fatalf("retry on a full disk: %v", err)
			}
			if n := w.Unwritten(); n == 0 {
				t.Fatal("nothing is unwritten")
			}
		}
		if i%20 == 19 { // there is space
			disk.make(room)
			if err := w.Retry(); err != nil && !errors.Is(err, errFull) {
				t.Fatal(err)
			}
		}
	}
	disk.make(1 << 30)
	if err := w.Retry(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := w.Unwritten(); n != 0 {
		t.Errorf("%d flows are unwritten", n)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if w.Written() != int64(len(data)) {
		t.Errorf("%d bytes written, %d in the file", w.Written(), len(data))
	}
	for _, m := range modes {
		if !m.bodies {
			continue
		}
		res := readAll(t, m.open(data), true)
		whole := 0
		for _, f := range want(taken) {
			if f.in(byRecord(res.flows)) {
				whole++
			}
		}
		if whole != len(taken) {
			t.Fatalf("workers %d, fixed %v, room %d, %s: %d of %d entries (%d refused), damage %v",
				workers, fixed, room, m.name, whole, len(taken), refused, res.damage)
		}
		if !fixed && len(res.damage) > 0 {
			t.Fatalf("workers %d, room %d: %v", workers, room, res.damage)
		}
		for _, d := range res.damage {
			if d.Kind == Gap {
				t.Fatalf("a gap: %v", res.damage)
			}
		}
	}
	x, err := ReadIndex(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(x.Lookup(taken[len(taken)-1].ID)) == 0 {
		t.Errorf("index: %v", err)
	}
}

// A writer that is not the Writer's own stays failed.
func TestRetryOfAPipe(t *testing.T) {
	w := NewWriter(&faulty{w: &bytes.Buffer{}, err: errFull}, WriterOptions{Workers: 1})
	if err := w.Add(sample(1, 1, 10)[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	if err := w.Retry(); !errors.Is(err, errFull) || w.CanRetry() || w.Unwritten() != 1 {
		t.Errorf("retry: %v, %d unwritten", err, w.Unwritten())
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := w.Retry(); !errors.Is(err, ErrClosed) {
		t.Errorf("retry after close: %v", err)
	}
}
