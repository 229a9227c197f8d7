// Package wire turns records of the native format into flows and back: field encoding
// and nothing else. It knows no files, no blocks and no compression. FORMAT.md,
// "Records", is the specification.
//
//	record   a msgpack map with string keys, the first of which is "type"
//	http, tcp, udp, dns   the head of a flow
//	conn     a connection, shared by the flows of a block
//	msg, part, late, end  what grows behind a head that is "open"
//	meta     who wrote the session
//
// Bodies, certificates and payloads are not in records; they are parts, which the block
// layer stores (numbers below).
package wire

// Numbers of parts, as stored.
const (
	PartRequestBody  = 0
	PartResponseBody = 1
	PartPayload      = 2
	PartClientConn   = 8  // a shared conn record
	PartServerConn   = 9  // likewise
	PartMitmCert     = 15 // of a conn record
	PartCert         = 16 // and above: certificates of a conn record, leaf first
)

// Flags of parts, as stored.
const (
	FlagTruncated = 1 // the content is the first bytes of a longer one
	FlagContinues = 2 // the content is in part records
	FlagNotStored = 4 // known to have existed, deliberately not stored
)

// Types of records.
const (
	TypeHTTP = "http"
	TypeTCP  = "tcp"
	TypeUDP  = "udp"
	TypeDNS  = "dns"
	TypeConn = "conn"
	TypeMsg  = "msg"
	TypePart = "part"
	TypeLate = "late"
	TypeEnd  = "end"
	TypeMeta = "meta"
)

// Limits on what a record may claim.
const (
	maxHeaders = 100_000   // fields of one message
	maxList    = 65_536    // ciphers, DNS records, holes
	maxAddr    = 14        // numbers behind host and port
	maxCerts   = 1024      // of one connection
	maxExtra   = 10_000    // unknown keys of one map
	maxValues  = 1_000_000 // of metadata
	maxDepth   = 32        // of metadata
)
