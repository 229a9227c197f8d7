package block

import "errors"

// search looks for a block header that starts in [from, to). The marker and the rest of
// the header may lie behind to. If there is none, off is to, or the end of the input if that
// comes first. Zeros reports that there were only zero bytes. A stream forgets what was
// searched.
//
// A candidate counts if its whole header is sound; what its header declares does not
// matter, not even if it runs past the end of the input: the damage may be in the declared
// length of a block in front of good ones.
func (w *walker) search(from, to int64) (off int64, found, zeros bool, err error) {
	const more = offSync + len(syncMarker) - 1 // of a header at to-1, up to its marker's end
	zeros = true
	for pos := from; pos < to; w.src.forget(pos) {
		want := int(min(4*readChunk, to-pos)) + more
		b, err := w.src.peek(pos, want)
		if err != nil && int64(len(b)) < to-pos {
			return 0, false, false, err
		}
		zeros = zeros && allZero(b)
		hit := findSync(b, offSync)
		switch {
		case hit >= 0:
			pos += int64(hit - offSync)
			if pos >= to {
				return to, false, zeros, nil
			}
			if ok, err := w.isHeader(pos); ok || err != nil {
				return pos, ok, false, err
			}
			pos++
		case len(b) < want:
			return min(to, pos+int64(len(b))), false, zeros, nil
		default:
			pos += int64(want - more)
		}
	}
	return to, false, zeros, nil
}

// isHeader reports whether a sound header stands at off, of whatever version.
func (w *walker) isHeader(off int64) (bool, error) {
	_, err := w.headerAt(off)
	var bad *badHeader
	switch {
	case err == nil, errors.As(err, new(*newerError)):
		return true, nil
	case errors.As(err, &bad):
		return false, nil
	}
	return false, err
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
