package mp

import "github.com/vmihailenco/msgpack/v5/msgpcode"

// Kind is the family of a token.
type Kind uint8

// The kinds of tokens. KindEnd is the end of the segment, or any place after an error;
// KindOther is an extension or an invalid code.
const (
	KindEnd Kind = iota
	KindNil
	KindBool
	KindInt
	KindFloat
	KindStr
	KindBin
	KindArray
	KindMap
	KindOther
)

// String returns the name of the kind as error texts use it.
func (k Kind) String() string {
	switch k {
	case KindEnd:
		return "end of data"
	case KindNil:
		return "nil"
	case KindBool:
		return "bool"
	case KindInt:
		return "int"
	case KindFloat:
		return "float"
	case KindStr:
		return "str"
	case KindBin:
		return "bin"
	case KindArray:
		return "array"
	case KindMap:
		return "map"
	}
	return "extension or invalid code"
}

// kindOf tells the kind of the token that starts with code c.
func kindOf(c byte) Kind {
	switch {
	case msgpcode.IsFixedNum(c):
		return KindInt
	case msgpcode.IsFixedString(c):
		return KindStr
	case msgpcode.IsFixedArray(c):
		return KindArray
	case msgpcode.IsFixedMap(c):
		return KindMap
	}
	switch c {
	case msgpcode.Nil:
		return KindNil
	case msgpcode.False, msgpcode.True:
		return KindBool
	case msgpcode.Float, msgpcode.Double:
		return KindFloat
	case msgpcode.Uint8, msgpcode.Uint16, msgpcode.Uint32, msgpcode.Uint64,
		msgpcode.Int8, msgpcode.Int16, msgpcode.Int32, msgpcode.Int64:
		return KindInt
	case msgpcode.Str8, msgpcode.Str16, msgpcode.Str32:
		return KindStr
	case msgpcode.Bin8, msgpcode.Bin16, msgpcode.Bin32:
		return KindBin
	case msgpcode.Array16, msgpcode.Array32:
		return KindArray
	case msgpcode.Map16, msgpcode.Map32:
		return KindMap
	}
	return KindOther
}
