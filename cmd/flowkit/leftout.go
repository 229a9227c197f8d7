package main

import (
	"fmt"
	"strings"

	"flowkit/cmd/flowkit/internal/cli"
	"flowkit/flowfile"
	"flowkit/flowfile/mitm"
)

// sayLeftOut says what the format of the output cannot hold.
func (c *conversion) sayLeftOut(sink flowfile.Sink) {
	switch w := sink.(type) {
	case interface{ Skipped() map[flowfile.Kind]int }:
		c.sayNotHTTP(w.Skipped())
	case interface{ Lost() mitm.Lost }:
		c.sayNotInDump(w.Lost())
	}
}

// sayNotHTTP is for HAR. That it holds HTTP alone is no loss: exit 0.
func (c *conversion) sayNotHTTP(skipped map[flowfile.Kind]int) {
	total := 0
	var parts []string
	for _, k := range []flowfile.Kind{flowfile.TCP, flowfile.UDP, flowfile.DNS} {
		if n := skipped[k]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToUpper(k.String())))
		}
	}
	if total > 0 {
		c.streams.Say("left out %s that a HAR file has no place for: %s", count(total, "flow"), strings.Join(parts, ", "))
	}
}

// sayNotInDump is for dumps, whose versions differ in what they hold.
func (c *conversion) sayNotInDump(l mitm.Lost) {
	if l.Updated > 0 {
		c.streams.Say("wrote %s of an old dump in format version 17, because they were changed", count(int(l.Updated), "flow"))
	}
	if l.Flows > 0 {
		c.streams.Say("left out %s that this version of the dump format has no place for", count(int(l.Flows), "flow"))
		c.worsen(cli.Lost)
	}
	if l.Fields > 0 {
		c.streams.Say("left out %s that this version of the dump format has no place for", count(int(l.Fields), "field"))
		c.worsen(cli.Lost)
	}
	if l.Extra > 0 {
		c.streams.Say("left out %s of other formats that flowkit does not know", count(int(l.Extra), "field"))
	}
}
