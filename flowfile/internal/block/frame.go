package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

const maxZstdBlock = 128 << 10 // bytes of content of one zstd block

// checkFrame reports whether b is exactly one zstd frame of raw bytes of content, with the
// size in its header, no dictionary and a bounded window. It looks at headers only.
func checkFrame(b []byte, raw int) error {
	var h zstd.Header
	if err := h.Decode(b[:min(len(b), zstd.HeaderMaxSize)]); err != nil {
		return fmt.Errorf("zstd frame: %w", err)
	}
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	switch {
	case h.Skippable:
		return errors.New("skippable frame instead of a zstd frame")
	case h.DictionaryID != 0:
		return fmt.Errorf("zstd frame needs dictionary %d", h.DictionaryID)
	case h.HasFCS && h.FrameContentSize != uint64(raw):
		return fmt.Errorf("zstd frame of %d bytes; the header says %d", h.FrameContentSize, raw)
	case !h.HasFCS && raw >= smallContent:
		return errors.New("zstd frame without content size")
	case window > maxWindow:
		return fmt.Errorf("zstd window of %d bytes; the limit is %d", window, maxWindow)
	}
	end, err := frameEnd(b, h.HeaderSize)
	if err != nil {
		return err
	}
	if h.HasCheckSum {
		end += 4
	}
	if end != len(b) {
		return fmt.Errorf("zstd frame of %d bytes in a segment of %d", end, len(b))
	}
	return nil
}

// frameEnd walks the blocks of the frame from offset i and returns where the last ends.
func frameEnd(b []byte, i int) (int, error) {
	for {
		if len(b)-i < 3 {
			return 0, errors.New("zstd frame cut short")
		}
		v := int(b[i]) | int(b[i+1])<<8 | int(b[i+2])<<16
		size := v >> 3
		if v>>1&3 == 1 { // run of one byte
			size = 1
		}
		i += 3 + size
		if i > len(b) {
			return 0, errors.New("zstd frame cut short")
		}
		if v&1 != 0 {
			return i, nil
		}
	}
}

// hasSync reports whether the sync marker occurs in b.
func hasSync(b []byte) bool { return bytes.Contains(b, []byte(syncMarker)) }

// appendRawFrame appends to dst a zstd frame that stores raw as it is, in zstd Raw blocks
// that end inside every occurrence of the sync marker: the header of the next block then
// stands in the middle of it. No header of a Raw block can be part of a marker itself:
// read as a block header, every three bytes of it have another block type or size. The checksum of the content, which is
// appended if it is wanted, can be the end of one.
func appendRawFrame(dst, raw []byte, checksum bool) []byte {
	descriptor := byte(0xa0) // single segment, size in 4 bytes
	if checksum {
		descriptor |= 1 << 2
	}
	dst = append(dst, 0x28, 0xb5, 0x2f, 0xfd, descriptor)
	content := raw
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(raw)))
	for {
		n := min(len(raw), maxZstdBlock)
		if i := bytes.Index(raw[:n], []byte(syncMarker)); i >= 0 {
			n = i + 4
		}
		last := 0
		if n == len(raw) {
			last = 1
		}
		v := n<<3 | last
		dst = append(dst, byte(v), byte(v>>8), byte(v>>16))
		dst = append(dst, raw[:n]...)
		raw = raw[n:]
		if last == 1 {
			break
		}
	}
	if checksum {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(xxhash.Sum64(content)))
	}
	return dst
}
