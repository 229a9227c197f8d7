package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/filter"
	"flowkit/flowfile/text"
)

// extraction writes bodies into a folder.
type extraction struct {
	streams *cli.Streams
	dir     string
	root    *os.Root

	files, empty, missing, cut, undecoded, unreadable int
	bytes                                             int64
	other                                             map[flowfile.Kind]int
}

// maxExtract is the most that a body may become without its codings: what is more was
// made to fill disks, and is written as it was on the wire.
const maxExtract = 1 << 30

func runExtract(ctx context.Context, s *cli.Streams, o *exportOptions, flt *filter.Filter) error {
	x := &extraction{streams: s, dir: o.texts.extract, other: map[flowfile.Kind]int{}}
	err := look(ctx, s, &o.inputs, flt, flowfile.NeedMessages|flowfile.NeedBodies, x.flow)
	if x.root != nil {
		defer x.root.Close()
	}
	x.say()
	if x.lost() && (err == nil || isQuiet(err)) {
		return cli.Quiet(cli.Worse(cli.Code(err, 0), cli.Lost))
	}
	return err
}

// open makes the folder, when there is something to put into it.
func (x *extraction) open() error {
	if x.root != nil {
		return nil
	}
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	root, err := os.OpenRoot(x.dir)
	if err != nil {
		return cli.Errorf(cli.Usage, "%w", plainPathError(err))
	}
	x.root = root
	return nil
}

func (x *extraction) flow(n int, f *flowfile.Flow) error {
	if f.Kind() != flowfile.HTTP {
		x.other[f.Kind()]++
		return nil
	}
	if r := f.Request(); r != nil {
		has := strings.Trim(r.Headers().Get("Content-Length"), "0 \t") != "" || r.Headers().Get("Transfer-Encoding") != ""
		if err := x.message(n, f, &r.Message, ".request", has); err != nil {
			return err
		}
	}
	if r := f.Response(); r != nil {
		return x.message(n, f, &r.Message, "", text.HasBody(f))
	}
	return nil
}

// message writes the body of m, decoded if that is possible. Its name ends with suffix and
// an extension.
func (x *extraction) message(n int, f *flowfile.Flow, m *flowfile.Message, suffix string, has bool) error {
	switch b := m.Body(); {
	case b.State() == flowfile.BodyAbsent && has:
		x.missing++
		return nil
	case b.State() == flowfile.BodyAbsent:
		return nil
	case b.Size() == 0:
		if has {
			x.empty++
		}
		return nil
	case b.State() == flowfile.BodyTruncated:
		x.cut++
	}
	torn := m.Body().State() == flowfile.BodyTruncated
	name := bodyName(n, f)
	err := x.copy(name+suffix, bodyExtension(f, m), torn, func() (io.ReadCloser, error) { return coding.OpenDecoded(m) })
	if err == nil || !readError(err) {
		return err
	}
	why := err
	if coding.Of(m) != "" {
		if err = x.copy(name+suffix, ".undecoded", torn, m.Body().Open); err == nil {
			x.undecoded++
			x.streams.Say("flow %d: the body is written as it was on the wire: %v", n, why)
			return nil
		}
	}
	if !readError(err) {
		return err
	}
	x.unreadable++
	x.streams.Say("flow %d: the body cannot be read: %v", n, err)
	return nil
}

// readError tells an error of the body from one of the output.
func readError(err error) bool {
	var e *unreadableError
	return errors.As(err, &e)
}

// unreadableError is an error of a body.
type unreadableError struct{ error }

func (e *unreadableError) Unwrap() error { return e.error }

// copy writes what open opens into a new file. What is torn may end within its coding.
func (x *extraction) copy(stem, ext string, torn bool, open func() (io.ReadCloser, error)) error {
	in, err := open()
	if err != nil {
		return &unreadableError{err}
	}
	defer in.Close()
	if err := x.open(); err != nil {
		return err
	}
	file, err := x.create(stem, ext)
	if err != nil {
		return x.failed(err)
	}
	n, err := x.fill(file, in, torn)
	if cerr := file.Close(); err == nil && cerr != nil {
		err = x.failed(cerr)
	}
	if err != nil {
		return errors.Join(err, x.root.Remove(path.Base(file.Name())))
	}
	x.files++
	x.bytes += n
	return nil
}

func (x *extraction) fill(out io.Writer, in io.Reader, torn bool) (int64, error) {
	buf := make([]byte, 64<<10)
	var total int64
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if _, werr := out.Write(buf[:n]); werr != nil {
				return total, x.failed(werr)
			}
		}
		total += int64(n)
		switch {
		case err == io.EOF, torn && errors.Is(err, io.ErrUnexpectedEOF):
			return total, nil
		case err != nil:
			return total, &unreadableError{err}
		case total > maxExtract:
			return total, &unreadableError{coding.ErrTooLarge}
		}
	}
}

// create makes a file that was not there: stem.ext, stem-2.ext and so on.
func (x *extraction) create(stem, ext string) (*os.File, error) {
	name := stem + ext
	for i := 2; ; i++ {
		f, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) || i > 10_000 {
			return f, err
		}
		name = fmt.Sprintf("%s-%d%s", stem, i, ext)
	}
}

// failed is an error of the output.
func (x *extraction) failed(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return cli.Hinted(cli.Lost, "the input is untouched; free some space or write elsewhere", "%s: %w", x.dir, plainPathError(err))
	}
	return cli.Errorf(cli.Lost, "%s: %w", x.dir, plainPathError(err))
}

func (x *extraction) lost() bool { return x.missing+x.cut+x.undecoded+x.unreadable > 0 }

// say is the summary.
func (x *extraction) say() {
	sayOnlyHTTP(x.streams, x.other)
	what := "wrote no body"
	if x.files > 0 {
		what = fmt.Sprintf("wrote %s (%s) to %s", map[bool]string{true: "1 body", false: fmt.Sprint(x.files, " bodies")}[x.files == 1], size(x.bytes), x.dir)
	}
	for _, p := range []struct {
		n    int
		what string
	}{
		{x.empty, "empty and left out"},
		{x.missing, "not recorded"},
		{x.cut, "cut when recorded"},
		{x.undecoded, "not decoded"},
		{x.unreadable, "unreadable"},
	} {
		if p.n > 0 {
			what += fmt.Sprintf("; %d %s", p.n, p.what)
		}
	}
	x.streams.Say("%s", what)
}

// maxStem is how long a name may be before its extension.
const maxStem = 80

// bodyName returns NNNNN-host-path, of letters, digits, dots, dashes and underscores: the
// number in front keeps it apart from names that some system reserves, and from others.
func bodyName(n int, f *flowfile.Flow) string {
	name := fmt.Sprintf("%05d", n)
	r := f.Request()
	if r == nil {
		return name
	}
	file, _, _ := strings.Cut(r.Path(), "?")
	if ext := pathExtension(file); ext != "" {
		file = file[:len(file)-len(ext)]
	}
	for _, part := range []string{r.PrettyHost(), file} {
		if part = safeName(part); part != "" {
			name += "-" + part
		}
	}
	if len(name) > maxStem {
		name = name[:maxStem]
	}
	return strings.TrimRight(name, "-._")
}

// safeName puts a dash in place of bytes that some file system or shell takes amiss.
func safeName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else if n := b.Len(); n > 0 && b.String()[n-1] != '-' {
			b.WriteByte('-')
		}
		if b.Len() > maxStem {
			break
		}
	}
	return strings.Trim(b.String(), "-._")
}

// pathExtension returns the extension of a path if it looks like one: ".js".
func pathExtension(p string) string {
	ext := path.Ext(p)
	if len(ext) < 2 || len(ext) > 9 || strings.Trim(ext[1:], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return ""
	}
	return ext
}

// typeExtensions has the extensions of common types; the first is taken unless the path
// has another of them.
var typeExtensions = map[string]string{
	"text/html": ".html .htm", "text/css": ".css", "text/plain": ".txt .log .md .text .csv", "text/csv": ".csv",
	"text/javascript": ".js .mjs", "application/javascript": ".js .mjs", "application/x-javascript": ".js .mjs",
	"application/json": ".json .map .webmanifest", "application/manifest+json": ".webmanifest .json",
	"application/xml": ".xml .xsl .rss", "text/xml": ".xml .xsl .rss", "application/xhtml+xml": ".xhtml .html",
	"image/png": ".png", "image/jpeg": ".jpg .jpeg .jpe", "image/gif": ".gif", "image/webp": ".webp", "image/avif": ".avif",
	"image/svg+xml": ".svg", "image/x-icon": ".ico", "image/vnd.microsoft.icon": ".ico", "image/bmp": ".bmp", "image/tiff": ".tif .tiff",
	"font/woff": ".woff", "font/woff2": ".woff2", "font/ttf": ".ttf", "font/otf": ".otf", "application/wasm": ".wasm",
	"audio/mpeg": ".mp3", "audio/ogg": ".ogg .oga", "audio/wav": ".wav", "video/mp4": ".mp4 .m4v", "video/webm": ".webm",
	"video/mp2t": ".ts", "application/vnd.apple.mpegurl": ".m3u8", "application/dash+xml": ".mpd", "text/event-stream": ".sse",
	"application/pdf": ".pdf", "application/zip": ".zip", "application/gzip": ".gz", "application/x-gzip": ".gz",
	"application/x-www-form-urlencoded": ".form", "multipart/form-data": ".multipart", "application/graphql": ".graphql",
	"application/x-protobuf": ".pb", "application/protobuf": ".pb", "application/grpc": ".grpc", "application/msgpack": ".msgpack",
	"application/yaml": ".yaml .yml", "application/x-ndjson": ".ndjson .jsonl", "text/markdown": ".md",
}

// bodyExtension returns the extension of what m holds: by its type, else by the path,
// else by whether it is text.
func bodyExtension(f *flowfile.Flow, m *flowfile.Message) string {
	ofPath := ""
	if r := f.Request(); r != nil && f.Response() != nil && m == &f.Response().Message {
		file, _, _ := strings.Cut(r.Path(), "?")
		ofPath = strings.ToLower(pathExtension(file))
	}
	typ, _, err := mime.ParseMediaType(m.Headers().Get("Content-Type"))
	if err != nil {
		typ = ""
	}
	exts := strings.Fields(typeExtensions[typ])
	if len(exts) == 0 {
		switch {
		case strings.HasSuffix(typ, "+json"):
			exts = []string{".json"}
		case strings.HasSuffix(typ, "+xml"):
			exts = []string{".xml"}
		}
	}
	for _, e := range exts {
		if e == ofPath {
			return e
		}
	}
	switch {
	case len(exts) > 0:
		return exts[0]
	case ofPath != "":
		return ofPath
	case strings.HasPrefix(typ, "text/"), looksText(m):
		return ".txt"
	}
	return ".bin"
}

// looksText tells whether the decoded content of m begins as text does.
func looksText(m *flowfile.Message) bool {
	r, err := coding.OpenDecoded(m)
	if err != nil {
		return false
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 1024))
	for err == nil && len(b) > 1000 && !utf8.Valid(b) && len(b) > 1020 {
		b = b[:len(b)-1]
	}
	return utf8.Valid(b) && isText(b)
}
