package main

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// The opcodes of RFC 6455 and the bit that marks a message's last frame.
const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa
	final      = 0x80
)

// acceptKey is what a server answers to a client's Sec-WebSocket-Key.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// writeFrame writes one frame; a client masks, a server does not.
func writeFrame(w io.Writer, first byte, payload []byte, masked bool) error {
	frame := []byte{first}
	var mask byte
	if masked {
		mask = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, mask|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, mask|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, mask|127), uint64(n))
	}
	start := len(frame)
	if masked {
		start += 4
		frame = append(frame, 0, 0, 0, 0)
		_, _ = rand.Read(frame[start-4:])
	}
	frame = append(frame, payload...)
	if masked {
		for i := range payload {
			frame[start+i] ^= frame[start-4+i%4]
		}
	}
	_, err := w.Write(frame)
	return err
}

// readFrame reads one frame and takes the mask off.
func readFrame(r io.Reader) (first byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	first, masked, n := head[0], head[1]&0x80 != 0, uint64(head[1]&0x7f)
	switch n {
	case 126:
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return 0, nil, err
		}
		n = uint64(binary.BigEndian.Uint16(head[:]))
	case 127:
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(head[:])
	}
	if n > 1<<20 {
		return 0, nil, fmt.Errorf("websocket: frame of %d bytes", n)
	}
	var mask [4]byte
	if masked {
		if _, err := io.ReadFull(r, mask[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return first, payload, nil
}

// readMessage joins the frames of a message; control frames come as they are.
func readMessage(r io.Reader) (op byte, payload []byte, err error) {
	for {
		first, piece, err := readFrame(r)
		if err != nil {
			return 0, nil, err
		}
		if first&0xf != opContinue {
			op = first & 0xf
		}
		payload = append(payload, piece...)
		if first&final != 0 {
			return op, payload, nil
		}
	}
}

// chat greets, then says text again and binary backwards, until "hang up" or a close.
func chat(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if key == "" {
		http.Error(w, "this is a WebSocket", http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "HTTP/1 only", http.StatusHTTPVersionNotSupported)
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: tea.v1\r\n\r\n", acceptKey(key))
	if err := writeFrame(conn, final|opText, []byte(`{"type":"welcome"}`), false); err != nil {
		return
	}
	chatLoop(buffered.Reader, conn)
}

func chatLoop(r *bufio.Reader, w io.Writer) {
	for {
		op, payload, err := readMessage(r)
		if err != nil {
			return
		}
		switch op {
		case opText:
			if string(payload) == "hang up" {
				return // without a close frame
			}
			payload = fmt.Appendf(nil, `{"type":"echo","text":%q}`, payload)
		case opBinary:
			slices.Reverse(payload)
		case opPing:
			op = opPong
		case opPong:
			continue
		}
		if err := writeFrame(w, final|op, payload, false); err != nil || op == opClose {
			return
		}
	}
}
