package native_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"testing"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/native"
)

func TestZZ(t *testing.T) {
	path := "/tmp/wirenat/lm.flow"
	if _, err := os.Stat(path); err != nil {
		largeMessages(t, path)
	}
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(160 << 20)
	f, _ := os.Open(path)
	src := native.NewReader(onlyReader{f}, native.ReaderOptions{Need: flowfile.NeedMessages, TempDir: t.TempDir()})
	go func() {
		most := uint64(0)
		for {
			time.Sleep(10 * time.Millisecond)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.HeapAlloc > most+(10<<20) && m.HeapAlloc > 150<<20 {
				most = m.HeapAlloc
				runtime.GC()
				runtime.ReadMemStats(&m)
				println("heap", most>>20, "live", m.HeapAlloc>>20)
				o, _ := os.Create("/tmp/wirenat/heap.prof")
				pprof.Lookup("heap").WriteTo(o, 0)
				o.Close()
			}
		}
	}()
	runtime.MemProfileRate = 4096
	count := 0
	for range flowfile.Flows(src) {
		count++
	}
	println(count)
}
