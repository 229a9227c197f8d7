package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
)

// serveQueue speaks a line protocol: it greets, answers PUSH and POP, and leaves on QUIT.
func serveQueue(c net.Conn) {
	var queue []string
	if _, err := io.WriteString(c, "+OK queue ready\r\n"); err != nil {
		return
	}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		answer := "-ERR unknown"
		switch verb {
		case "PUSH":
			queue = append(queue, rest)
			answer = fmt.Sprintf("+OK %d", len(queue))
		case "POP":
			answer = "-EMPTY"
			if len(queue) > 0 {
				answer, queue = "+"+queue[0], queue[1:]
			}
		case "QUIT":
			answer = "+BYE"
		}
		if _, err := io.WriteString(c, answer+"\r\n"); err != nil || verb == "QUIT" {
			return
		}
	}
}

// serveSensor reads a two-byte length and that many bytes, and says them again in kind, every bit turned.
func serveSensor(c net.Conn) {
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		frame := make([]byte, 2+int(binary.BigEndian.Uint16(size[:])))
		copy(frame, size[:])
		if _, err := io.ReadFull(c, frame[2:]); err != nil {
			return
		}
		for i := range frame[2:] {
			frame[2+i] ^= 0xff
		}
		if _, err := c.Write(frame); err != nil {
			return
		}
	}
}
