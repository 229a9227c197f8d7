package websocket

import (
	"encoding/binary"
	"fmt"
)

// Opcodes of RFC 6455 §5.2. Those from opClose on are control frames.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

const (
	finBit     = 0x80
	rsvBits    = 0x70
	rsv1       = 0x40 // RFC 7692 §6: the message is compressed
	maskBit    = 0x80
	maxHeader  = 14
	maxControl = 125 // RFC 6455 §5.5
)

// A header is that of one frame, RFC 6455 §5.2:
//
//	+-+---+----+-+-------+------------------+-------------+
//	|F|RSV|op  |M|length |length, if 126 (2 |masking key, |
//	|1|3  |4   |1|7      |bytes), 127 (8)   |if M, 4 bytes|
//	+-+---+----+-+-------+------------------+-------------+
type header struct {
	fin    bool
	rsv    byte // as in the first byte: rsvBits
	opcode byte
	masked bool
	key    [4]byte
	length uint64
}

// headerSize returns how long the header is whose second byte is b.
func headerSize(b byte) int {
	n := 2
	switch b &^ maskBit {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if b&maskBit != 0 {
		n += 4
	}
	return n
}

// parseHeader parses b, a header as long as headerSize says.
func parseHeader(b []byte) header {
	h := header{
		fin:    b[0]&finBit != 0,
		rsv:    b[0] & rsvBits,
		opcode: b[0] & 0x0f,
		masked: b[1]&maskBit != 0,
		length: uint64(b[1] &^ maskBit),
	}
	if h.masked {
		copy(h.key[:], b[len(b)-4:])
	}
	switch h.length {
	case 126:
		h.length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		h.length = binary.BigEndian.Uint64(b[2:])
	}
	return h
}

// appendHeader appends h, its length in the shortest form.
func appendHeader(dst []byte, h header) []byte {
	b0, b1 := h.rsv|h.opcode, byte(0)
	if h.fin {
		b0 |= finBit
	}
	if h.masked {
		b1 = maskBit
	}
	switch {
	case h.length < 126:
		dst = append(dst, b0, b1|byte(h.length))
	case h.length <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, b0, b1|126), uint16(h.length))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, b0, b1|127), h.length)
	}
	if h.masked {
		dst = append(dst, h.key[:]...)
	}
	return dst
}

// appendFrame appends a frame of the payload, whose length it fills in and which it masks if h says so.
func appendFrame(dst []byte, h header, payload []byte) []byte {
	h.length = uint64(len(payload))
	dst = appendHeader(dst, h)
	n := len(dst)
	dst = append(dst, payload...)
	if h.masked {
		mask(dst[n:], h.key, 0)
	}
	return dst
}

// mask masks or unmasks b in place (RFC 6455 §5.3); its first byte is the frame's payload byte number pos.
func mask(b []byte, key [4]byte, pos int64) {
	var k8 [8]byte
	for i := range k8 {
		k8[i] = key[(pos+int64(i))&3]
	}
	k := binary.LittleEndian.Uint64(k8[:])
	for len(b) >= 32 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^k)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^k)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^k)
		b = b[32:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= k8[i&7]
	}
}

// check says what is wrong with a frame, "" if nothing is. Inside says that it comes within a fragmented message.
func (h *header) check(fromClient, inside bool, ext *extensions) string {
	switch {
	case h.length > 1<<63-1:
		return "a frame length with the highest bit set"
	case h.masked != fromClient && fromClient:
		return "a frame that is not masked"
	case h.masked != fromClient:
		return "a masked frame"
	case h.opcode >= opClose:
		return h.checkControl(ext)
	case h.opcode > opBinary && !ext.opaque:
		return fmt.Sprintf("a frame with the reserved opcode %d", h.opcode)
	case inside && h.opcode != opContinuation:
		return "a new message within a fragmented one"
	case !inside && h.opcode == opContinuation:
		return "a continuation frame without a message to continue"
	case ext.opaque:
		return ""
	case h.rsv&rsv1 != 0 && !ext.deflate:
		return "a frame with the reserved bit 1 set, but no compression was agreed on"
	case h.rsv&rsv1 != 0 && inside:
		return "a continuation frame with the compression bit set"
	case h.rsv&^rsv1 != 0:
		return "a frame with a reserved bit set"
	}
	return ""
}

func (h *header) checkControl(ext *extensions) string {
	switch {
	case !h.fin:
		return "a fragmented control frame"
	case h.length > maxControl:
		return fmt.Sprintf("a control frame of %d bytes", h.length)
	case ext.opaque:
		return ""
	case h.opcode > opPong:
		return fmt.Sprintf("a frame with the reserved opcode %d", h.opcode)
	case h.rsv != 0:
		return "a control frame with a reserved bit set"
	}
	return ""
}

// parseClose parses the payload of a Close frame (RFC 6455 §5.5.1); problem says what is wrong with it, "" if nothing is.
func parseClose(p []byte) (code int, reason, problem string) {
	switch len(p) {
	case 0:
		return CodeNone, "", ""
	case 1:
		return CodeNone, "", "a Close frame of one byte"
	}
	code, reason = int(binary.BigEndian.Uint16(p)), string(p[2:])
	// RFC 6455 §7.4 and the IANA registry, which goes up to 1014; 1004 to 1006 and 1015 are never sent.
	ok := code >= 1000 && code <= 1014 && (code < 1004 || code > 1006) || code >= 3000 && code <= 4999
	if !ok {
		problem = fmt.Sprintf("a Close frame with the code %d", code)
	}
	return code, reason, problem
}
