package jsonl

import (
	"bytes"

	"flowkit/flowfile"
)

// ParseLine reads the flow of one line, for who has lines from elsewhere. The flow does
// not refer to line.
func ParseLine(line []byte) (*flowfile.Flow, error) {
	line = bytes.TrimSpace(line)
	if err := checkText(line); err != nil {
		return nil, err
	}
	return parseFlow(line)
}
