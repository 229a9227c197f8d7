package native

import (
	"strings"

	"flowkit/flowfile"
)

// payload is a body with what its message says about it.
type payload struct {
	flowfile.Body
	squeezed bool // it is content-encoded, or of a compressed type
}

func payloadOf(m *flowfile.Message) payload { return payload{m.Body(), squeezed(m)} }

// incompressible tells whether squeezing data again is a waste: its message says so, or it
// begins like what is. A wrong answer costs time or size, nothing else.
func incompressible(squeezed bool, data []byte) bool {
	if len(data) < 128 {
		return false
	}
	if squeezed {
		return true
	}
	for _, magic := range magics {
		if len(data) >= len(magic) && string(data[:len(magic)]) == magic {
			return true
		}
	}
	return false
}

func squeezed(m *flowfile.Message) bool {
	switch enc, _ := m.Headers().Lookup("Content-Encoding"); strings.TrimSpace(enc) {
	case "", "identity", "none":
	default:
		return true
	}
	typ, ok := m.Headers().Lookup("Content-Type")
	return ok && compressedType(typ)
}

var magics = [...]string{
	"\x1f\x8b", "\x28\xb5\x2f\xfd", "PK\x03\x04", "\x89PNG", "\xff\xd8\xff", "GIF8",
	"wOF2", "wOFF", "BZh", "\xfd7zXZ", "7z\xbc\xaf", "OggS", "ID3", "\x1aE\xdf\xa3",
}

func compressedType(typ string) bool {
	typ, _, _ = strings.Cut(typ, ";")
	typ = strings.TrimSpace(typ)
	major, minor, _ := strings.Cut(typ, "/")
	switch strings.ToLower(major) {
	case "video", "audio":
		return true
	case "image":
		switch strings.ToLower(minor) {
		case "svg+xml", "bmp", "x-ms-bmp", "x-icon", "vnd.microsoft.icon", "tiff":
			return false
		}
		return true
	case "font":
		return strings.HasPrefix(strings.ToLower(minor), "woff")
	case "application":
		switch strings.ToLower(minor) {
		case "zip", "gzip", "x-gzip", "zstd", "x-7z-compressed", "x-bzip2", "x-xz",
			"java-archive", "vnd.android.package-archive", "font-woff", "font-woff2":
			return true
		}
	}
	return false
}
