package flowfile

// Origin is the record a flow was read from. A writer of the same format finds its own
// type by assertion and copies the record, replacing only the changed parts.
type Origin interface {
	// Format names the format: "flow", "mitm", "har", "jsonl".
	Format() string
	// Kept returns what must be stored beside the model so that a writer of Format can
	// still give back the record, with f's changes applied; nil if there is nothing to
	// keep. A writer of another format that keeps origins (native, JSON lines) calls it.
	Kept(f *Flow) *Kept
}

// Kept is what remains of a foreign record in a native file: enough for the foreign
// writer to give the record back byte for byte.
type Kept struct {
	Format  string
	Version int
	// Head is the record without its bodies, "" if the foreign writer gives the same
	// bytes from the model alone.
	Head  string
	Holes []Hole
	// Changed are the parts that were changed since Head was taken.
	Changed Parts
	Extra   Extra
}

// Hole is a place in Kept.Head where the bytes of a body belong.
type Hole struct {
	Pos  int // in Head
	Part int // BodyRequest or BodyResponse
}

// Numbers of bodies within a flow; those of the native format.
const (
	BodyRequest  = 0
	BodyResponse = 1
	BodyMessage  = 2
)

// Kept lets a Kept stand as the origin of a flow that was read from a file which keeps
// foreign records.
type keptOrigin struct {
	format string
	kept   *Kept
}

// KeptOrigin returns the origin of a flow read from a file of the given format that had
// kept k of a foreign record, which may be nil.
func KeptOrigin(format string, k *Kept) Origin { return &keptOrigin{format, k} }

func (o *keptOrigin) Format() string { return o.format }

func (o *keptOrigin) Kept(f *Flow) *Kept {
	if o.kept == nil || f.Changed() == 0 {
		return o.kept
	}
	k := *o.kept
	k.Changed |= f.Changed()
	return &k
}
