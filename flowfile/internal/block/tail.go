package block

import (
	"io"
	"math"
)

// waitFor returns io.EOF as long as the block at pos may still be being written: it is not
// all there, or not sound, and nothing has been written behind it. All segments count: a
// sound records segment proves nothing about the bodies behind it, and to go on too early
// would be to land in the middle of the next block.
func (w *walker) waitFor(h *Header) error {
	p := &hop{h: h, off: w.pos}
	reached, err := w.src.reach(p.end())
	if err != nil {
		return err
	}
	if reached == p.end() {
		if sound, err := w.sound(p); err != nil || sound {
			return err
		}
	}
	_, found, _, err := w.search(p.body(), math.MaxInt64)
	if err == nil && !found {
		return io.EOF
	}
	return err
}
