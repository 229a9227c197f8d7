package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"flowkit/flowfile/internal/mp"
)

// forge makes a block of the content given, as a hostile writer would: change may set any
// field of the header before its checksum is made.
func forge(t testing.TB, records, bodies []byte, n int, change func(h *Header)) []byte {
	t.Helper()
	enc := &encoders{}
	enc.o = enc.o.withDefaults()
	h := &Header{Kind: kindData, Records: n}
	var payload []byte
	for i, raw := range [][]byte{records, bodies} {
		if raw == nil {
			continue
		}
		frame := enc.get(false).EncodeAll(raw, nil)
		payload = append(payload, frame...)
		h.Segments = append(h.Segments, Segment{Kind: uint8(1 + i), Comp: len(frame), Raw: len(raw), Count: n, CRC: castagnoli(frame)})
	}
	return forgeFrames(h, payload, change)
}

// forgeFrames makes a block of the payload given.
func forgeFrames(h *Header, payload []byte, change func(h *Header)) []byte {
	h.Payload = int64(len(payload))
	if change != nil {
		change(h)
	}
	h.Len = headerRoom(len(h.Segments))
	buf := make([]byte, h.Len)
	h.putOnce(buf)
	return append(buf, payload...)
}

// refix writes the right checksum into a header that was changed.
func refix(data []byte) []byte {
	n := max(min(int(binary.LittleEndian.Uint32(data[4:]))+8, len(data)), headerSize)
	binary.LittleEndian.PutUint32(data[offCRC:], headerCRC(data[:n]))
	return data
}

// entry makes the bytes of an entry with the refs given.
func entry(refs []int64, rec []byte) []byte {
	var w mp.Writer
	w.ArrayLen(2)
	w.ArrayLen(1 + len(refs))
	w.Int(int64(len(rec)))
	for _, i := range refs {
		w.Int(i)
	}
	w.Raw(rec)
	return w.Bytes()
}

// within runs f and fails if it takes long or allocates much.
func within(t *testing.T, name string, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	runtime.ReadMemStats(&after)
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("%s: took %v", name, d)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("%s: allocated %d MB", name, n>>20)
	}
}

func TestHostileHeaders(t *testing.T) {
	rec := entry(nil, record("a"))
	good := forge(t, rec, []byte("body body"), 1, nil)
	behind := write(t, WriterOptions{Workers: 1, NoIndex: true}, sample(99, 1, 10))
	set := func(off int, b ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[off:], b)
		return refix(data)
	}
	for _, c := range []struct {
		name string
		data []byte
		kind Kind
		text string
	}{
		{"user_len 0", set(4, 0, 0, 0, 0), Corrupt, "limit"},
		{"user_len 4 GiB", set(4, 255, 255, 255, 255), Corrupt, "limit"},
		{"user_len over the limit", set(4, 0xf9, 0xff, 0, 0), Corrupt, "limit"},
		{"major 2", set(16, 2), Newer, "format version 2"},
		{"incompatible flag", set(19, 0x80), Newer, "flags"},
		{"critical block kind", set(17, 0x81), Newer, "block kind"},
		{"critical segment kind", set(headerSize+tableEntry, 0x85), Newer, "segment kind"},
		{"payload 2^64", set(offPayload, bytes.Repeat([]byte{255}, 8)...), Corrupt, "limit"},
		{"payload 1 TiB", set(offPayload, 0, 0, 0, 0, 0, 1), Corrupt, "limit"},
		{"payload other than segments", set(offPayload, 1), Corrupt, "segments of"},
		{"65535 segments", set(offSegments, 255, 255), Corrupt, "table"},
		{"no segments", set(offSegments, 0, 0), Corrupt, "segments of 0"},
		{"table entries of 19 bytes", set(offSegSize, 19), Corrupt, "table"},
		{"table entries of 64 KiB", set(offSegSize, 255, 255), Corrupt, "table"},
		{"two records segments", set(headerSize+tableEntry, 1), Corrupt, "must be the first"},
		{"no records segment", set(headerSize, 9), Corrupt, "0 records segments"},
		{"raw_len 4 GiB", set(headerSize+8, 255, 255, 255, 255), Corrupt, "limit"},
		{"raw_len 9 MiB", set(headerSize+8, 0, 0, 0x90, 0), Corrupt, "limit"},
		{"comp_len 4 GiB", set(headerSize+4, 255, 255, 255, 255), Corrupt, "limit"},
		{"4 billion records", set(offRecords, 255, 255, 255, 255), Corrupt, "entries in"},
		{"more flows than records", set(offFlows, 9), Corrupt, "flows in"},
	} {
		for _, m := range modes {
			within(t, c.name, func() {
				res := readAll(t, m.open(append(bytes.Clone(c.data), behind...)), m.bodies)
				if len(res.flows) != 1 || len(res.damage) != 1 {
					t.Errorf("%s, %s: %d flows, %v", c.name, m.name, len(res.flows), res.damage)
					return
				}
				d := res.damage[0]
				if d.Kind != c.kind || d.Offset != 0 || !strings.Contains(d.Error(), c.text) || d.Skipped != int64(len(c.data)) {
					t.Errorf("%s, %s: %v", c.name, m.name, d)
				}
			})
		}
	}
}

func TestNewerIsSkipped(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	newer := bytes.Clone(data[:ends[0]])
	newer[16] = 9
	n, err := headerLen(newer)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(newer[offCRC:], headerCRC(newer[:n]))
	for _, m := range modes {
		for _, data := range [][]byte{
			append(bytes.Clone(newer), data...), append(bytes.Clone(data), newer...),
			bytes.Join([][]byte{data, newer, newer, data}, nil),
		} {
			res := readAll(t, m.open(data), m.bodies)
			newers := 0
			for _, d := range res.damage {
				if !errors.Is(d, ErrNewer) || d.Skipped != ends[0] {
					t.Errorf("%s: %v", m.name, d)
				}
				newers++
			}
			if len(res.flows)%len(entries) != 0 || len(res.flows) == 0 || newers == 0 {
				t.Errorf("%s: %d flows", m.name, len(res.flows))
			}
		}
	}
}

// Unknown block kinds, segment kinds, longer headers and table entries, and additional
// elements of entries are passed over in silence.
func TestUnknownIsSkipped(t *testing.T) {
	rec := append(bytes.Clone(entry(nil, record("a"))), 0)
	rec[0] = 0x93 // a third element
	data := forge(t, rec, []byte("body"), 1, nil)

	other := forgeFrames(&Header{Kind: 77}, nil, nil)
	segment := forge(t, rec, []byte("body"), 1, func(h *Header) { h.Segments[1].Kind = 9 })

	h, err := parseHeader(data[:headerRoom(2)])
	if err != nil {
		t.Fatal(err)
	}
	longer := make([]byte, headerSize+2*28+100)
	h.put(longer)
	copy(longer[headerSize+28:], longer[headerSize+20:headerSize+40])
	binary.LittleEndian.PutUint16(longer[offSegSize:], 28)
	longer = append(refix(longer), data[headerRoom(2):]...)

	for _, m := range modes {
		for _, c := range [][]byte{append(other, data...), segment, longer} {
			res := readAll(t, m.open(c), m.bodies)
			if len(res.flows) != 1 || len(res.damage) > 0 {
				t.Errorf("%s: %d flows, %v", m.name, len(res.flows), res.damage)
			}
		}
	}
}

func TestHostileFrames(t *testing.T) {
	rec := entry(nil, record("a"))
	enc := func(raw []byte, o ...zstd.EOption) []byte {
		e, err := zstd.NewWriter(nil, o...)
		if err != nil {
			t.Fatal(err)
		}
		return e.EncodeAll(raw, nil)
	}
	big := bytes.Repeat([]byte("entry of many "), 60_000)
	frame := enc(big)
	noSize := func(b []byte) []byte { // the frame as a stream encoder writes it, without its size
		var out bytes.Buffer
		e, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = e.Write(b[:len(b)/2])
		_ = e.Flush()
		_, _ = e.Write(b[len(b)/2:])
		_ = e.Close()
		return out.Bytes()
	}
	skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}
	window := append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x80, 0xff}, 0, 0, 0, 1, 1, 0, 0)
	lies := bytes.Clone(enc(big[:1000]))
	for _, c := range []struct {
		name  string
		frame []byte
		raw   int
	}{
		{"size lies: more", lies, 2000},
		{"size lies: less", lies, 500},
		{"no size", noSize(big), len(big)},
		{"bomb without size", noSize(make([]byte, 100<<20)), maxSegment},
		{"bomb with size", enc(make([]byte, 100<<20)), maxSegment},
		{"two frames", append(bytes.Clone(frame), frame...), 2 * len(big)},
		{"frame and empty frame", append(bytes.Clone(frame), enc(nil, zstd.WithZeroFrames(true))...), len(big)},
		{"frame and skippable", append(bytes.Clone(frame), skippable...), len(big)},
		{"skippable and frame", append(bytes.Clone(skippable), frame...), len(big)},
		{"skippable", skippable, 0},
		{"trailing byte", append(bytes.Clone(frame), 0), len(big)},
		{"cut short", frame[:len(frame)-1], len(big)},
		{"dictionary", append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 5}, 1, 0, 0), 5},
		{"window of 3.75 TB", window, 300},
		{"empty", nil, 0},
		{"noise", []byte("not a zstd frame at all"), 30},
	} {
		var h Header
		h.Kind, h.Records = kindData, 0
		good := enc(rec)
		h.Segments = []Segment{
			{Kind: segRecords, Comp: len(good), Raw: len(rec), CRC: castagnoli(good)},
			{Kind: segBodies, Comp: len(c.frame), Raw: c.raw, CRC: castagnoli(c.frame)},
		}
		asBody := forgeFrames(&h, append(bytes.Clone(good), c.frame...), func(h *Header) { h.Records = 1 })
		h = Header{Kind: kindData, Segments: []Segment{{Kind: segRecords, Comp: len(c.frame), Raw: c.raw, CRC: castagnoli(c.frame)}}}
		asRecords := forgeFrames(&h, c.frame, nil)
		for _, m := range modes {
			within(t, c.name, func() {
				res := readAll(t, m.open(asRecords), m.bodies)
				if len(res.flows) > 0 || len(res.damage) == 0 {
					t.Errorf("%s as records, %s: %d flows, %v", c.name, m.name, len(res.flows), res.damage)
				}
				if !m.bodies {
					return
				}
				res = readAll(t, m.open(asBody), true)
				if len(res.flows) != 1 || len(res.damage) != 1 || res.damage[0].Kind != BadBody {
					t.Errorf("%s as body, %s: %d flows, %v", c.name, m.name, len(res.flows), res.damage)
				}
			})
		}
	}
}

func TestHostileRecords(t *testing.T) {
	rec := record("a")
	deep := bytes.Repeat([]byte{0x91}, 8_000_000)
	shared := entry(nil, rec)
	sharedAt := int64(len(shared) - len(rec))
	cat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, c := range []struct {
		name string
		raw  []byte
		n    int
		text string
	}{
		{"array of 4 billion", []byte{0xdd, 255, 255, 255, 255}, 1, ""},
		{"refs of 4 billion", []byte{0x92, 0xdd, 255, 255, 255, 255}, 1, ""},
		{"map of 4 billion", []byte{0xdf, 255, 255, 255, 255}, 1, ""},
		{"bin of 4 billion", []byte{0xc6, 255, 255, 255, 255}, 1, ""},
		{"str of 4 billion", []byte{0xdb, 255, 255, 255, 255}, 1, ""},
		{"8 million arrays", deep, 1, ""},
		{"third element too deep", cat([]byte{0x93, 0x91, 1, 0x80}, deep), 1, "deep"},
		{"nil", []byte{0xc0, 0xc0, 0xc0, 0xc0}, 1, ""},
		{"entry of one element", cat([]byte{0x91, 0x91, 1}, rec), 1, "elements"},
		{"no refs", cat([]byte{0x92, 0x90}, rec), 1, ""},
		{"record length -1", []byte{0x92, 0x91, 0xff, 0x80}, 1, ""},
		{"record length beyond the end", []byte{0x92, 0x91, 0x7f, 0x80}, 1, "end of the data"},
		{"record is no map", []byte{0x92, 0x91, 1, 0x90}, 1, "not a map"},
		{"empty record", []byte{0x92, 0x91, 0, 0x80}, 1, "not a map"},
		{"ref cut short", entry([]int64{1, 2}, rec), 1, ""},
		{"ref to segment 2", entry([]int64{1, 2, 0, 1, 2, 0, 0}, rec), 1, "segment 2"},
		{"ref to segment -1", entry([]int64{1, 2, 0, 1, -1, 0, 0}, rec), 1, "segment -1"},
		{"ref behind the segment", entry([]int64{1, 2, 0, 1, 1, 9, 1}, rec), 1, "ref to"},
		{"ref too long", entry([]int64{1, 2, 0, 1, 1, 0, 10}, rec), 1, "ref to"},
		{"ref of negative length", entry([]int64{1, 2, 0, 1, 1, 5, -1}, rec), 1, "ref to"},
		{"ref that overflows", entry([]int64{1, 2, 0, 1, 1, 1<<63 - 1, 1<<63 - 1}, rec), 1, "ref to"},
		{"4 billion ranges", entry([]int64{1, 2, 0, 1 << 32, 1, 0, 0}, rec), 1, "ranges"},
		{"-1 ranges", entry([]int64{1, 2, 0, -1, 1, 0, 0}, rec), 1, "ranges"},
		{"flags 256", entry([]int64{1, 2, 256, 0}, rec), 1, "flags"},
		{"shares itself", entry([]int64{1, 2, 0, 1, 0, 10, int64(len(rec))}, rec), 1, "ref to"},
		{"shares a later entry", cat(entry([]int64{1, 2, 0, 1, 0, 20, 3}, rec), shared), 2, "ref to"},
		{"fewer entries", shared, 2, "header says"},
		{"more entries", cat(shared, shared), 1, "header says"},
	} {
		within(t, c.name, func() {
			data := forge(t, c.raw, []byte("body body"), c.n, nil)
			res := readAll(t, NewReader(bytes.NewReader(data), ReaderOptions{}), true)
			if len(res.damage) != 1 || !strings.Contains(res.damage[0].Error(), c.text) {
				t.Errorf("%s: %v", c.name, res.damage)
			}
		})
	}

	// A range that is no record of an entry.
	data := forge(t, cat(shared, entry([]int64{32, 0, 0, 1, 0, sharedAt + 1, int64(len(rec)) - 1}, rec)), nil, 2, nil)
	b, err := ReadBlockAt(bytes.NewReader(data), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []Range{{0, int(sharedAt) + 1, len(rec) - 1}, {0, int(sharedAt), 2}, {1, 0, 0}, {-1, 0, 0}} {
		if _, _, err := b.Shared(r); !errors.Is(err, ErrCorrupt) {
			t.Errorf("shared %v: %v", r, err)
		}
	}
	for _, r := range []Range{{0, -1, 0}, {0, 0, -1}, {0, 1 << 62, 1 << 62}, {5, 0, 0}, {-5, 0, 0}} {
		var d *DamageError
		if _, err := b.Content(r); !errors.As(err, &d) {
			t.Errorf("content %v: %v", r, err)
		}
	}
}

func TestHostileIndex(t *testing.T) {
	data, entries := small(t, 1, WriterOptions{})
	ends, _ := blockEnds(t, data)
	body := data[:ends[len(ends)-2]]
	make1 := func(write func(w *mp.Writer)) []byte {
		var w mp.Writer
		write(&w)
		x := &indexBuilder{}
		p := x.pack()
		enc := &encoders{}
		enc.o = enc.o.withDefaults()
		frame := enc.get(false).EncodeAll(w.Bytes(), nil)
		payload := binary.LittleEndian.AppendUint32(nil, skippableMagic)
		payload = binary.LittleEndian.AppendUint32(payload, uint32(len(frame)+trailerSize))
		payload = append(payload, frame...)
		payload = appendTrailer(payload, uint64(p.h.Len+len(payload)+trailerSize))
		h := &Header{Kind: kindIndex, Segments: []Segment{{
			Kind: segIndex, Flags: segSkippable, Comp: len(payload), Raw: w.Len(), CRC: castagnoli(payload),
		}}}
		return forgeFrames(h, payload, nil)
	}
	first, err := ReadBlockAt(bytes.NewReader(data), 0)
	if err != nil {
		t.Fatal(err)
	}
	records := int64(first.Header.Records)
	index := func(span int64, lens []int64, ids []byte) func(w *mp.Writer) {
		return func(w *mp.Writer) {
			w.MapLen(4)
			w.Str("v")
			w.Int(1)
			w.Str("span")
			w.Int(span)
			w.Str("blocks")
			w.ArrayLen(5 * len(lens))
			for _, n := range lens {
				for _, i := range []int64{n, records, 1, 0, 0} {
					w.Int(i)
				}
			}
			w.Str("ids")
			w.Bin(ids)
		}
	}
	size := int64(len(body))
	for _, c := range []struct {
		name string
		f    func(w *mp.Writer)
	}{
		{"no map", func(w *mp.Writer) { w.Int(1) }},
		{"4 billion keys", func(w *mp.Writer) { w.Raw([]byte{0xdf, 255, 255, 255, 255}) }},
		{"span beyond the start", index(size+1, []int64{size + 1}, nil)},
		{"negative span", index(-1, []int64{-1}, nil)},
		{"lengths other than the span", index(size, []int64{size - 1}, nil)},
		{"negative length", index(size, []int64{size + 100, -100}, nil)},
		{"no blocks", index(0, nil, nil)},
		{"one block instead of several", index(size, []int64{size}, nil)},
		{"ids of 13 bytes", index(size, []int64{size}, make([]byte, 13))},
	} {
		within(t, c.name, func() {
			all := append(bytes.Clone(body), make1(c.f)...)
			x, err := ReadIndex(bytes.NewReader(all), int64(len(all)))
			if err != nil || x.Complete || len(x.Blocks) != len(ends)-1 {
				t.Errorf("%s: %d blocks, complete %v, %v", c.name, len(x.Blocks), x.Complete, err)
			}
			if places := x.Lookup(entries[0].ID); len(places) > 0 {
				t.Errorf("%s: %v", c.name, places)
			}
		})
	}
}
