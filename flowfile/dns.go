package flowfile

// DNSMessage is a query or an answer (RFC 1035 §4.1). Immutable.
type DNSMessage struct {
	ID                                   int64
	Query                                bool
	OpCode                               int64
	AuthoritativeAnswer, Truncation      bool
	RecursionDesired, RecursionAvailable bool
	Reserved, ResponseCode               int64
	Questions                            []DNSQuestion
	Answers, Authorities, Additionals    []DNSRecord
	Time                                 Time
	Extra                                Extra
}

// DNSQuestion is one question.
type DNSQuestion struct {
	Name        string
	Type, Class int64
}

// DNSRecord is one resource record; Data is in wire form.
type DNSRecord struct {
	Name        string
	Type, Class int64
	TTL         int64
	Data        string
}
