package formats

import (
	"bytes"
	"io"
	"os"
)

// SearchLen is how far an input is searched that begins with nothing that is known.
const SearchLen = 1 << 20

// search finds the format of an input whose beginning is damaged: what makes sense behind
// it tells. It is false if nothing does.
func (in *Input) search(r io.Reader, o ReadOptions) bool {
	long, r := ahead(r)
	for _, f := range Formats() {
		if f.Find != nil && f.Find(long) {
			in.Format, in.Source = f, f.Read(r, o)
			return true
		}
	}
	return false
}

// ahead returns the first bytes of r and a reader that still has them. An error that comes
// with them will come again.
func ahead(r io.Reader) ([]byte, io.Reader) {
	long := make([]byte, SearchLen)
	if f, ok := r.(*os.File); ok { // a regular one, at its beginning
		n, _ := f.ReadAt(long, 0)
		return long[:n], r
	}
	n, err := io.ReadFull(r, long)
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return long[:n], io.MultiReader(bytes.NewReader(long[:n]), r)
	}
	return long[:n], io.MultiReader(bytes.NewReader(long[:n]), failed{err})
}

// failed is a reader that has failed.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
