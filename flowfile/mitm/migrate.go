package mitm

import (
	"errors"
	"fmt"
	"strings"
)

// Versions that are read without migration and written.
const (
	minVersion = 17
	maxVersion = 21
)

var errNoVersion = errors.New("no format version")

// migrate is the first step of the ladder for records below version 17: a later step
// turns the elements of an old record into those of version 17. There is none yet.
func migrate(version string) error {
	return fmt.Errorf("format version %s is not supported yet", version)
}

// versionOf returns the format version, and an error for those that are not read. It is
// a number since mitmproxy 3; before it was the list of mitmproxy's own version.
func versionOf(b []byte, it item) (int, error) {
	switch it.tag {
	case '#':
		v, ok := integer(b, it)
		if !ok || v < 0 || v > 1<<20 {
			return 0, &syntaxError{it.s, "broken format version"}
		}
		if v < minVersion {
			return 0, migrate(fmt.Sprint(v))
		}
		return int(v), nil
	case ']':
		var parts []string
		for i := it.s; i < it.e; {
			v, after, ok := next(b, i, it.e)
			if !ok || len(parts) == 8 {
				return 0, &syntaxError{it.s, "broken format version"}
			}
			parts, i = append(parts, fmt.Sprint(number(b, v))), after
		}
		return 0, migrate(strings.Join(parts, "."))
	}
	return 0, errNoVersion
}
