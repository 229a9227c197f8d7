// Package mitm reads mitmproxy dumps of every format version from 0.11 on (mitmproxy 0.11 to
// 12) and writes versions 17 to 21 (mitmproxy 8.1 to 12).
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
// # Old records
//
// A record below version 17 climbs a ladder, one small step for each version (migrate.go),
// and what it has become is read as a record of version 17. Bodies and messages are not
// touched on the way: they stay where they are in the input.
//
//	0.11 … 0.19, 1.0, 2.0, 3.0   the version is a list, that of mitmproxy itself; keys are
//	                             bytes up to 0.17, addresses dictionaries up to 2.0
//	4 … 11                       a WebSocket is a record of its own
//	12 … 16                      it is part of the flow of its handshake
//
// The two records of an old WebSocket are one flow, in the place of the second: a handshake
// is held back until its WebSocket comes or the input ends (handshake.go).
//
// A flow that nobody changed is written as it stood, in one record or two. A changed one is
// written in version 17, which is nearest to it and which every mitmproxy from 8.1 on reads.
//
// # Newer records
//
// A record of a version above 21 is read as far as it is like one of 21. What is new in it
// is not shown, but stays in the record, also when other parts of it are changed.
//
// # Damage
//
// What cannot be read is reported with its place, and reading goes on with the next record
// that can (resync.go). Of an input whose very beginning is damaged, Find tells whether it
// is a dump.
package mitm
