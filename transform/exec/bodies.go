package exec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Mode is how a line has bodies.
type Mode uint8

// The modes. With each, a part that is not in the line stays as it is, unless the program
// puts something there.
const (
	None   Mode = iota // no bodies and no certificates
	Text               // decoded text, where a body is text
	Base64             // bytes as they are, as JSON lines have them
	Files              // bodies of requests and responses in files
)

// Bodies is a mode with its folder.
type Bodies struct {
	Mode Mode
	Dir  string // for Files; it is made, or is empty
}

// ParseBodies reads none, text, base64 or file:DIR.
func ParseBodies(s string) (Bodies, error) {
	switch s {
	case "none":
		return Bodies{Mode: None}, nil
	case "text":
		return Bodies{Mode: Text}, nil
	case "base64":
		return Bodies{Mode: Base64}, nil
	}
	dir, ok := strings.CutPrefix(s, "file:")
	switch {
	case !ok:
		return Bodies{}, fmt.Errorf("%q is not one of none, text, base64, file:DIR", s)
	case dir == "":
		return Bodies{}, errors.New("file: wants a folder, file:DIR")
	case !utf8.ValidString(dir):
		return Bodies{}, fmt.Errorf("%q cannot be in JSON, it is not UTF-8", dir)
	}
	dir, err := filepath.Abs(dir) // wherever the program goes
	return Bodies{Mode: Files, Dir: dir}, err
}

// MakeDir makes the folder for Files. One that is not empty is refused: what is in it may
// be anything.
func (b Bodies) MakeDir() error {
	if b.Mode != Files {
		return nil
	}
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return err
	}
	names, err := os.ReadDir(b.Dir)
	if err == nil && len(names) > 0 {
		err = fmt.Errorf("%s: the folder is not empty", b.Dir)
	}
	return err
}
