package block_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"flowkit/flowfile/internal/block"
	"flowkit/flowfile/internal/mp"
)

func record(path string) []byte {
	var w mp.Writer
	w.MapLen(1)
	w.Str("path")
	w.Str(path)
	return w.Bytes()
}

func Example() {
	var file bytes.Buffer
	w := block.NewWriter(&file, block.WriterOptions{})
	conn := &block.Entry{Record: record("connection")}
	for _, path := range []string{"/", "/favicon.ico"} {
		body := []byte("body of " + path)
		err := w.Add(&block.Entry{
			Record: record(path), ID: path, Starts: true,
			Parts: []block.Part{
				{N: 1, Data: body, Total: int64(len(body))},
				{N: 32, Shared: conn},
			},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	r := block.NewReader(&file, block.ReaderOptions{})
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var damage *block.DamageError
		if errors.As(err, &damage) {
			fmt.Println("damage:", damage)
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		e, err := b.Entries()
		if err != nil {
			log.Fatal(err)
		}
		for e.Next() {
			fmt.Printf("entry %d: %q\n", e.Index(), e.Record())
			for _, ref := range e.Refs() {
				content, err := b.Content(ref.Ranges[0])
				fmt.Printf("  part %d: %q %v\n", ref.Part, content, err)
			}
		}
	}
	// Output:
	// entry 0: "\x81\xa4path\xaaconnection"
	// entry 1: "\x81\xa4path\xa1/"
	//   part 1: "body of /" <nil>
	//   part 32: "\x81\xa4path\xaaconnection" <nil>
	// entry 2: "\x81\xa4path\xac/favicon.ico"
	//   part 1: "body of /favicon.ico" <nil>
	//   part 32: "\x81\xa4path\xaaconnection" <nil>
}
