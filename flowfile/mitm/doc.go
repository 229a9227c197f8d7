// Package mitm reads and writes mitmproxy dumps, format versions 17 to 21 (mitmproxy 8.1
// to 12).
//
// A dump is a plain sequence of records without header, index, separator or checksum. A
// record is a tnetstring of a dictionary:
//
//	1694:9:websocket;0:~8:response;212:…}…7:version;2:21#}
//	└┬─┘ └────┬────┘└─┬┘└───┬────┘ └─┬─┘  └───┬───┘└─┬─┘└ tag
//	length   key    value  key     value    key    value
//
//	element = length ":" payload tag
//	tag     = ","  bytes              "!"  true, false
//	          ";"  text, UTF-8        "~"  null
//	          "#"  whole number       "]"  list: elements
//	          "^"  float              "}"  dictionary: key, value, key, value …
//
// mitmproxy writes the keys of every dictionary in the reverse of the order in which it
// made them.
//
//	Reader   dump → flows; a flow's strings and bodies lie in the mapped file or in the
//	         chunk that was read, so reading a flow costs its heads and not its bodies
//	Record   the bytes a flow was read from: its Origin
//	Writer   flows → dump; an unchanged flow is its record, byte for byte; of a changed
//	         flow only the changed elements are replaced; flows from elsewhere are
//	         written as mitmproxy would
//
// Records below version 17 are reported as damage, one by one (see migrate.go).
package mitm
