package mp

import (
	"encoding/binary"
	"fmt"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Skip consumes one value, however deep up to MaxDepth.
func (r *Reader) Skip() { r.Raw() }

// Raw consumes one value and returns its bytes, which alias the segment.
func (r *Reader) Raw() []byte {
	if r.err != nil {
		return nil
	}
	start := r.src.pos
	end, err := valueEnd(r.src.b, start)
	if err != nil {
		r.failAt(end, err)
		return nil
	}
	r.src.pos = end
	return r.src.b[start:end:end]
}

// valueEnd returns the offset behind the value at b[i:]. It keeps the number of values
// still open on each level in an array instead of recursing, so that no input can grow the
// stack. On an error it returns the offset of the token at fault.
func valueEnd(b []byte, i int) (int, error) {
	var open [MaxDepth]int // values still to come in each open array or map
	depth := 0
	for {
		next, children, err := tokenEnd(b, i)
		if err != nil {
			return i, err
		}
		if children > 0 {
			if depth == MaxDepth {
				return i, ErrDepth
			}
			open[depth] = children
			depth++
		} else {
			for depth > 0 {
				open[depth-1]--
				if open[depth-1] > 0 {
					break
				}
				depth--
			}
		}
		i = next
		if depth == 0 {
			return i, nil
		}
	}
}

// tokenEnd returns the offset behind the token at b[i:] and the number of values that
// belong into it: elements of an array, keys and values of a map.
func tokenEnd(b []byte, i int) (end, children int, err error) {
	if i >= len(b) {
		return i, 0, ErrShort
	}
	c := b[i]
	switch {
	case msgpcode.IsFixedNum(c):
		return i + 1, 0, nil
	case msgpcode.IsFixedString(c):
		return sized(b, i+1, uint64(c&msgpcode.FixedStrMask))
	case msgpcode.IsFixedArray(c):
		return nested(b, i+1, uint64(c&msgpcode.FixedArrayMask))
	case msgpcode.IsFixedMap(c):
		return nested(b, i+1, 2*uint64(c&msgpcode.FixedMapMask))
	}
	switch c {
	case msgpcode.Nil, msgpcode.False, msgpcode.True:
		return i + 1, 0, nil
	case msgpcode.Uint8, msgpcode.Int8:
		return sized(b, i+1, 1)
	case msgpcode.Uint16, msgpcode.Int16:
		return sized(b, i+1, 2)
	case msgpcode.Uint32, msgpcode.Int32, msgpcode.Float:
		return sized(b, i+1, 4)
	case msgpcode.Uint64, msgpcode.Int64, msgpcode.Double:
		return sized(b, i+1, 8)
	case msgpcode.FixExt1, msgpcode.FixExt2, msgpcode.FixExt4, msgpcode.FixExt8, msgpcode.FixExt16:
		return sized(b, i+1, 1+1<<(c-msgpcode.FixExt1))
	}
	width := lengthWidth(c)
	if width == 0 {
		return i, 0, fmt.Errorf("%w: invalid code %#02x", ErrKind, c)
	}
	if len(b)-i-1 < width {
		return i, 0, ErrShort
	}
	n := beUint(b[i+1 : i+1+width])
	i += 1 + width
	switch c {
	case msgpcode.Array16, msgpcode.Array32:
		return nested(b, i, n)
	case msgpcode.Map16, msgpcode.Map32:
		return nested(b, i, 2*n)
	case msgpcode.Ext8, msgpcode.Ext16, msgpcode.Ext32:
		return sized(b, i, n+1) // the type byte
	}
	return sized(b, i, n)
}

// lengthWidth returns the width in bytes of the length behind code c, 0 if it has none.
func lengthWidth(c byte) int {
	switch c {
	case msgpcode.Str8, msgpcode.Bin8, msgpcode.Ext8:
		return 1
	case msgpcode.Str16, msgpcode.Bin16, msgpcode.Ext16, msgpcode.Array16, msgpcode.Map16:
		return 2
	case msgpcode.Str32, msgpcode.Bin32, msgpcode.Ext32, msgpcode.Array32, msgpcode.Map32:
		return 4
	}
	return 0
}

func beUint(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	}
	return uint64(binary.BigEndian.Uint32(b))
}

func sized(b []byte, i int, n uint64) (end, children int, err error) {
	if n > uint64(len(b)-i) {
		return i, 0, fmt.Errorf("%d bytes: %w", n, ErrShort)
	}
	return i + int(n), 0, nil
}

func nested(b []byte, i int, n uint64) (end, children int, err error) {
	if n > uint64(len(b)-i) {
		return i, 0, fmt.Errorf("%d elements: %w", n, ErrShort)
	}
	return i, int(n), nil
}
