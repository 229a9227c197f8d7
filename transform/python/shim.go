package python

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed all:shim
var shimFiles embed.FS

// Shim returns the files of the Python package, for who exports it.
func Shim() fs.FS {
	sub, err := fs.Sub(shimFiles, "shim")
	if err != nil {
		panic("python: internal error: " + err.Error())
	}
	return sub
}

// extract returns the folder of the package, written once for each version of it, so that
// Python keeps its compiled form beside it. Where the cache cannot be written to, it is a
// temporary folder.
func extract(cache string) (string, error) {
	if cache == "" {
		if dir, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(dir, "flowkit")
		}
	}
	sum, err := shimSum()
	if err != nil {
		return "", err
	}
	name := "pyshim-" + sum
	if cache != "" {
		dir := filepath.Join(cache, name)
		if complete(dir) {
			return dir, nil
		}
		if err := place(cache, dir); err == nil {
			return dir, nil
		}
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("flowkit-%d", os.Getuid()), name)
	if ours(filepath.Dir(dir)) && complete(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	if !ours(filepath.Dir(dir)) {
		return "", fmt.Errorf("%s belongs to somebody else; set XDG_CACHE_HOME to a folder of yours", filepath.Dir(dir))
	}
	return dir, place(filepath.Dir(dir), dir)
}

// complete tells whether dir holds the package: the mark is written last.
func complete(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "complete"))
	return err == nil
}

// place writes the package beside dir and renames it, so that dir is whole or not there.
func place(parent, dir string) error {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, "pyshim-*.tmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := Export(temp); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temp, "complete"), nil, 0o600); err != nil {
		return err
	}
	err = os.Rename(temp, dir)
	if complete(dir) {
		return nil // by us or by somebody at the same time
	}
	if errors.Is(err, fs.ErrExist) || err != nil {
		// What stands there is not whole: somebody deleted parts of it.
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		return os.Rename(temp, dir)
	}
	return nil
}

// Export writes the Python package into dir, which exists.
func Export(dir string) error {
	return fs.WalkDir(Shim(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || skipped(name) {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		data, err := fs.ReadFile(Shim(), name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o600)
	})
}

// skipped tells of what Python left behind where flowkit was built.
func skipped(name string) bool {
	return strings.Contains(name, "__pycache__")
}

// shimSum returns the hash of the package, of the names and contents of its files.
func shimSum() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(Shim(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || skipped(name) {
			return err
		}
		data, err := fs.ReadFile(Shim(), name)
		fmt.Fprintf(h, "%s %d\n", name, len(data))
		h.Write(data)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:16], err
}
