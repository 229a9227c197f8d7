package block

import "sync/atomic"

// Stats counts what a Reader and its blocks have read.
type Stats struct {
	Blocks       int64 // data blocks returned by Next
	BodySegments int64 // body segments read and decoded
	BodyBytes    int64 // bytes of them in the file
	Damage       int64 // damages reported, of any kind
	Torn         int64 // damages by kind
	Cut          int64
	Corrupt      int64
	Newer        int64
	BadBody      int64
	Gap          int64
}

// counters are the Stats while they are being counted.
type counters struct {
	blocks, bodySegments, bodyBytes atomic.Int64
	damage                          [Gap + 1]atomic.Int64
}

func (c *counters) stats() Stats {
	s := Stats{
		Blocks:       c.blocks.Load(),
		BodySegments: c.bodySegments.Load(),
		BodyBytes:    c.bodyBytes.Load(),
		Torn:         c.damage[Torn].Load(),
		Cut:          c.damage[Cut].Load(),
		Corrupt:      c.damage[Corrupt].Load(),
		Newer:        c.damage[Newer].Load(),
		BadBody:      c.damage[BadBody].Load(),
		Gap:          c.damage[Gap].Load(),
	}
	s.Damage = s.Torn + s.Cut + s.Corrupt + s.Newer + s.BadBody + s.Gap
	return s
}

// report counts a damage and returns it.
func (c *counters) report(e *DamageError) *DamageError {
	c.damage[e.Kind].Add(1)
	return e
}
