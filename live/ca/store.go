package ca

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The files of a directory, by prefix: the key with its certificate, the certificate alone.
const (
	own       = "flowkit-ca"
	mitmproxy = "mitmproxy-ca"
	maxFile   = 1 << 20 // more than any chain takes
)

// open loads the CA of a directory or makes one.
func open(dir string) (*CA, error) {
	for _, prefix := range []string{own, mitmproxy} {
		c, err := read(filepath.Join(dir, prefix+".pem"))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
	}
	return create(dir)
}

// read loads the CA of a file.
func read(file string) (*CA, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, plain(err)
	}
	c, err := parse(data, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	c.file = file
	return c, nil
}

func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s: too large to be a key and a certificate", file)
	}
	return data, err
}

// create makes a CA. If another process is first, theirs is the CA.
func create(dir string) (*CA, error) {
	key, der, err := generate(time.Now())
	if err != nil {
		return nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), cert...)
	file := filepath.Join(dir, own+".pem")
	err = os.MkdirAll(dir, 0o700)
	if err == nil {
		err = write(file, both, 0o600, link)
	}
	first := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make a CA: %w", plain(err))
	}
	c, err := read(file)
	if err != nil {
		return nil, err
	}
	c.created = first
	if first { // for whoever looks into the directory; CertFile makes it up if this fails
		_, _ = c.CertFile()
	}
	return c, nil
}

// CertFile returns the name of a PEM file with the certificate alone, for programs that are
// told by a variable or a flag which CA to trust. It is beside the file with the key, and is
// written if it is not there or holds another certificate.
func (c *CA) CertFile() (string, error) {
	file := strings.TrimSuffix(c.file, ".pem") + "-cert.pem"
	data, err := readFile(file)
	if err == nil && bytes.Equal(bytes.TrimSpace(data), bytes.TrimSpace(c.PEM())) {
		return file, nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = write(file, c.PEM(), 0o644, os.Rename)
	}
	if err != nil {
		return "", fmt.Errorf("write the certificate: %w", plain(err))
	}
	return file, nil
}

// write makes a file that is whole whenever it is seen; publish gives it its name.
func write(file string, data []byte, mode fs.FileMode, publish func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".flowkit-*") // 0600 from the start
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil && mode != 0o600 {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return publish(f.Name(), file)
}

// link gives a file its name, unless there is one of that name: then the error is fs.ErrExist.
func link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to) // a file system without links
}

// exposed says what is wrong with who may read the key or replace it.
func exposed(file string) []string {
	if runtime.GOOS == "windows" { // modes say nothing there
		return nil
	}
	var w []string
	if fi, err := os.Stat(file); err == nil && fi.Mode().Perm()&0o077 != 0 {
		w = append(w, fmt.Sprintf("%s: others can read the key of the CA, and with it all traffic of who trusts it; chmod 600 closes it", file))
	}
	dir := filepath.Dir(file)
	if fi, err := os.Stat(dir); err == nil && fi.Mode().Perm()&0o022 != 0 && fi.Mode()&fs.ModeSticky == 0 {
		w = append(w, fmt.Sprintf("%s: others can replace the CA in this directory; chmod 700 closes it", dir))
	}
	return w
}

// plain takes the name of the system call from an error, and keeps what errors.Is finds.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return fmt.Errorf("%s: %w", le.New, le.Err)
	}
	return err
}
