//go:build unix

package python

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sizes of the arena. Pages that nobody touched take no memory.
const (
	controlSize = 4096
	arenaSize   = controlSize + 16<<20
)

// arena is memory that is shared with a worker; see PROTOCOL.md.
type arena struct {
	file *os.File
	data []byte
	used int // bytes, from controlSize, that hold bodies of the batch in hand
}

func newArena(dir string) (*arena, error) {
	f, err := sharedFile(dir)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(arenaSize); err != nil {
		f.Close()
		return nil, err
	}
	data, err := unix.Mmap(int(f.Fd()), 0, arenaSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &arena{file: f, data: data}, nil
}

// temporary returns an unlinked file.
func temporary(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "flowkit-arena-*")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

func (a *arena) close() {
	if a == nil {
		return
	}
	// Nothing can be done about an error, and the process is about to end.
	_ = unix.Munmap(a.data)
	_ = a.file.Close()
}

// clear makes room for another batch's bodies.
func (a *arena) clear() { a.used = controlSize }

// put copies b into the arena and returns where it lies, -1 if there is no room.
func (a *arena) put(b []byte) int {
	if len(b) > len(a.data)-a.used {
		return -1
	}
	at := a.used
	copy(a.data[at:], b)
	a.used += len(b)
	return at
}

// Control words.
const (
	wordProgress = iota // odd while a hook runs
	wordTimeout         // what wordProgress was when the time was up
	wordIndex           // of the flow in hand, in its batch
)

func (a *arena) word(i int) *uint64 { return (*uint64)(unsafe.Pointer(&a.data[8*i])) }

func (a *arena) load(i int) uint64 { return atomic.LoadUint64(a.word(i)) }

func (a *arena) store(i int, v uint64) { atomic.StoreUint64(a.word(i), v) }
