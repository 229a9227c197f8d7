package block

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// markers returns where the sync marker occurs.
func markers(data []byte) (at []int) {
	for i := findSync(data, 0); i >= 0; i = findSync(data, i+1) {
		at = append(at, i)
	}
	return at
}

// checkMarkers fails unless the markers of a file are those of its blocks.
func checkMarkers(t *testing.T, data []byte) {
	t.Helper()
	ends, _ := blockEnds(t, data)
	at := markers(data)
	if len(at) != len(ends) {
		t.Fatalf("%d markers in %d blocks", len(at), len(ends))
	}
	start := int64(0)
	for i, e := range ends {
		if int64(at[i]) != start+offSync {
			t.Fatalf("marker at %d, block at %d", at[i], start)
		}
		start = e
	}
}

func TestMarkerInBodies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	file, _ := small(t, 3, WriterOptions{})
	bodies := [][]byte{
		file, append(bytes.Clone(file), file...), []byte(syncMarker),
		bytes.Repeat([]byte(syncMarker), 1000),
		append(noise(r, 300_000), file...),
	}
	for i := range 40 {
		bodies = append(bodies, append(append(noise(r, 20+i), syncMarker...), noise(r, 30)...))
	}
	for i := range 12 { // around the end of a zstd block
		bodies = append(bodies, append(append(noise(r, maxZstdBlock-10+i), syncMarker...), noise(r, 10)...))
	}
	for i := range 500 { // so that a compressed frame holds it among literals
		bodies = append(bodies, append(append(noise(r, i%9), syncMarker...), bytes.Repeat([]byte{byte(i)}, i)...))
	}
	for _, incompressible := range []bool{false, true} {
		var entries []*Entry
		for i, b := range bodies {
			entries = append(entries, &Entry{
				Record: record(string(rune('A'+i)), syncMarker),
				Parts:  []Part{{N: 1, Data: b, Incompressible: incompressible}},
			})
		}
		for _, size := range []int{1, 100_000, 0} {
			data := write(t, WriterOptions{BlockSize: size, Workers: 1}, entries)
			checkMarkers(t, data)
			for _, m := range modes {
				res := readAll(t, m.open(data), m.bodies)
				if m.bodies {
					if d := cmp.Diff(want(entries), res.flows, cmpFlow); d != "" {
						t.Fatal(m.name, d)
					}
				}
				if len(res.flows) != len(entries) || len(res.damage) > 0 {
					t.Fatal(m.name, res.damage)
				}
			}
		}
	}
}

// A damaged block whose body is a flow file does not lead the reader into that file.
func TestResyncIgnoresRecordedFiles(t *testing.T) {
	file, _ := small(t, 3, WriterOptions{})
	entries := sample(1, 5, 100)
	entries[2].Parts = []Part{{N: 1, Data: append(noise(rand.New(rand.NewPCG(1, 1)), 50_000), file...), Incompressible: true}}
	data := write(t, WriterOptions{BlockSize: 1, Workers: 1}, entries)
	ends, _ := blockEnds(t, data)
	all := byRecord(want(entries))
	for _, i := range []int64{ends[1], ends[1] + 5, ends[1] + 30, ends[1] + headerSize + 60} {
		bad := bytes.Clone(data)
		bad[i] ^= 0x10
		for _, m := range modes {
			res := readAll(t, m.open(bad), m.bodies)
			for _, f := range res.flows {
				if !f.in(all) {
					t.Errorf("%s: recorded flow %.40q taken for one of the file", m.name, f.record)
				}
			}
		}
	}
}

func TestRawFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	dec := &decoder{}
	n := 300
	if long() {
		n = 5000
	}
	for i := range n {
		raw := noise(r, r.IntN(300_000)>>r.IntN(12))
		for range r.IntN(5) {
			if len(raw) > 8 {
				copy(raw[r.IntN(len(raw)-8):], syncMarker)
			}
		}
		if i%10 == 0 {
			raw = bytes.Repeat([]byte(syncMarker), r.IntN(3000))
		}
		frame := appendRawFrame(nil, raw, i%2 == 0)
		if hasSync(frame) || int64(len(frame)) > maxCompressed(int64(len(raw))) {
			t.Fatalf("frame of %d for %d bytes, marker %v", len(frame), len(raw), hasSync(frame))
		}
		got, err := dec.segment(Segment{Comp: len(frame), Raw: len(raw), CRC: castagnoli(frame)}, frame)
		if err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("%d bytes: %v", len(raw), err)
		}
	}
}

// The times of entries may spell the marker; the header's bounds then give way.
func TestMarkerInTimes(t *testing.T) {
	const spelled = 0x1a0a0d574f4c4689 // in June 2029
	data := write(t, WriterOptions{Workers: 1}, []*Entry{{Record: record("a"), Time: spelled, ID: "a"}})
	checkMarkers(t, data)
	b, err := ReadBlockAt(bytes.NewReader(data), 0)
	if err != nil {
		t.Fatal(err)
	}
	if h := b.Header; h.Tmin > spelled || h.Tmax < spelled {
		t.Errorf("times %d to %d", h.Tmin, h.Tmax)
	}
}
