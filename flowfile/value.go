package flowfile

// Extra holds fields that flowkit does not know: they are written back as they came.
type Extra []ExtraField

// ExtraField is an unknown field: its key and its value in msgpack.
type ExtraField struct{ Key, Value string }

// Map is an ordered map of metadata. Values are nil, bool, int64, float64, BigInt,
// string, Bytes, List or Map.
type Map []MapEntry

// MapEntry is one entry of a Map.
type MapEntry struct {
	Key   string
	Value any
}

// List is a list of metadata values.
type List []any

// Bytes are bytes in metadata, where a string is text.
type Bytes string

// BigInt is a whole number beyond int64, in decimal digits.
type BigInt string

// Get returns the value of key and whether it is there.
func (m Map) Get(key string) (any, bool) {
	for i := range m {
		if m[i].Key == key {
			return m[i].Value, true
		}
	}
	return nil, false
}

// With returns a copy of m in which key has value.
func (m Map) With(key string, value any) Map {
	out := make(Map, len(m), len(m)+1)
	copy(out, m)
	for i := range out {
		if out[i].Key == key {
			out[i].Value = value
			return out
		}
	}
	return append(out, MapEntry{key, value})
}

// Without returns a copy of m without key.
func (m Map) Without(key string) Map {
	out := make(Map, 0, len(m))
	for _, e := range m {
		if e.Key != key {
			out = append(out, e)
		}
	}
	return out
}
