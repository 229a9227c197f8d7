package flowfile

// Parts is a set of parts of a flow; a setter adds the part that it changed.
// The numbers are stored in native files (FORMAT.md, "src"), so they never change meaning.
type Parts uint64

// Parts of a flow.
const (
	PartID Parts = 1 << iota
	PartCreated
	PartClient
	PartServer
	PartError
	PartIntercepted
	PartReplay
	PartMarked
	PartComment
	PartMetadata
	PartWebSocket // close code, reason, end; not the messages
	PartMessages
	PartRequest     // the request as a whole: set, replaced or removed
	PartResponse    // the response as a whole
	PartDNSRequest  // likewise
	PartDNSResponse // likewise
)

// Parts of a message. A Message's own set has them as they are; in a flow's set
// (Flow.Changed) those of the request are shifted by 16 and those of the response by 32.
const (
	PartVersion Parts = 1 << iota
	PartHeaders
	PartTrailers
	PartBody
	PartStart
	PartEnd
	PartMethod
	PartScheme
	PartHost
	PartPort
	PartAuthority
	PartPath
	PartStatus
	PartReason
)

const (
	requestShift  = 16
	responseShift = 32
)

// Has tells whether all of q are in p.
func (p Parts) Has(q Parts) bool { return p&q == q }

// OfRequest returns the parts of the request within a flow's set.
func (p Parts) OfRequest() Parts { return p >> requestShift & 0xffff }

// OfResponse returns the parts of the response within a flow's set.
func (p Parts) OfResponse() Parts { return p >> responseShift & 0xffff }
