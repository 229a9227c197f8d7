// Package flowfile says what a flow is and how flows move: it is the model that every
// format, script engine and command shares.
//
// A flow is one exchange: HTTP (with its WebSocket messages), TCP, UDP or DNS.
//
//	Flow      one exchange with its connections, marks and origin
//	Request   HTTP request; Response: HTTP response; both are a Message
//	Headers   ordered (name, value) bytes; order, case and duplicates are evidence
//	Body      lazy bytes as they were on the wire; absent, empty and truncated differ
//	Messages  what WebSocket, TCP and UDP flows carry, read through an iterator
//	Conn      one side's connection; immutable, shared by the flows that used it
//	Origin    the record a flow was read from, so that a writer of the same format
//	          copies it and replaces only what was changed
//
//	Source    yields flows in batches; Sink consumes them
//	Damage    an error with a place: the stream goes on behind it
//
// Values are read by methods and changed by setters; a setter marks the part it changed
// (see Parts). Values held by pointer (Conn, Error, DNSMessage, WebSocket) are immutable:
// replace them by the flow's setter.
//
// Strings in the model are bytes: header names, values, paths and reasons may hold bytes
// that are not UTF-8. They may alias the buffer or the file mapping they were read from;
// Flow.Clone frees a flow from it. Nothing reached from a flow is ever reused or pooled.
//
// This package knows no scripts and no sockets. The formats live below it, one folder each.
package flowfile
