package main

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"flowkit/flowfile"
	"flowkit/flowfile/filter"
)

// tableSample is how many rows are held back to see how wide the columns must be; later
// rows are cut to fit, so that a table of any length is written as it comes.
const tableSample = 1000

// columns of the table, with the widest that each may get.
var columns = []struct {
	title string
	max   int
	right bool
}{
	{"#", 9, true},
	{"time", 12, false},
	{"method", 8, false},
	{"status", 6, true},
	{"type", 24, false},
	{"size", 9, true},
	{"took", 8, true},
	{"what", 100, false},
}

// tableGap is what is between two columns.
const tableGap = 2

// leastWhat is how narrow the last column may get on a narrow terminal.
const leastWhat = 20

// flowTable is a Sink that draws a table.
type flowTable struct {
	w      *trimmer
	width  int // of the terminal, 0 for any
	filter *filter.Filter
	held   [][]string
	table  *tablewriter.Table
	widths []int
	n      int
}

// newTable returns a table of the flows that flt, if there is one, matches. It filters by
// itself, because its numbers are those of the input, as show takes them.
func newTable(w io.Writer, width int, flt *filter.Filter) *flowTable {
	return &flowTable{w: &trimmer{w: w}, width: width, filter: flt}
}

func (t *flowTable) Write(b *flowfile.Batch) error {
	for _, f := range b.Flows {
		t.n++
		if t.filter != nil {
			if ok, err := t.filter.Match(f); err != nil {
				return err
			} else if !ok {
				continue
			}
		}
		if err := t.row(tableRow(t.n, f)); err != nil {
			return err
		}
	}
	return nil
}

// row draws a row, or holds it back until the widths are known.
func (t *flowTable) row(row []string) error {
	if t.table != nil {
		return t.append(row)
	}
	t.held = append(t.held, row)
	if len(t.held) < tableSample {
		return nil
	}
	return t.start()
}

func tableRow(n int, f *flowfile.Flow) []string {
	row := []string{strconv.Itoa(n), "", strings.ToUpper(f.Kind().String()), "", contentType(f), "", duration(f), ""}
	if t := f.Start(); t.Known() {
		row[1] = t.Time().Format("15:04:05.000")
	}
	switch {
	case f.Kind() == flowfile.HTTP && f.Request() != nil:
		row[2] = printable(f.Request().Method())
		row[7] = printable(f.Request().PrettyURL())
		if f.WebSocket() != nil {
			row[7] += "  (" + count(f.Messages().Len(), "message") + ")"
		}
	case f.Kind() == flowfile.DNS:
		row[7] = strings.TrimPrefix(summaryWhat(f), "DNS ")
	default:
		row[7] = printable(endpoints(f)) + "  (" + count(f.Messages().Len(), "message") + ")"
	}
	if r := f.Response(); r != nil {
		row[3] = strconv.Itoa(r.Status())
		row[5] = tableSize(r.Body())
	}
	if e := f.Error(); e != nil {
		row[7] += "  error: " + printable(e.Msg)
	}
	return row
}

func tableSize(b flowfile.Body) string {
	switch b.State() {
	case flowfile.BodyAbsent:
		return "missing"
	case flowfile.BodyTruncated:
		return size(b.Size()) + "+"
	}
	return size(b.Size())
}

// start draws the head and the rows that were held back.
func (t *flowTable) start() error {
	t.widths = make([]int, len(columns))
	widths := tw.NewMapper[int, int]()
	align := make(tw.Alignment, len(columns))
	titles := make([]any, len(columns))
	used := 0
	for i, c := range columns {
		t.widths[i] = len(c.title)
		for _, row := range t.held {
			t.widths[i] = min(max(t.widths[i], runewidth.StringWidth(row[i])), c.max)
		}
		if left := t.width - used - tableGap; t.width > 0 && i == len(columns)-1 {
			t.widths[i] = min(t.widths[i], max(left, leastWhat))
		}
		used += t.widths[i] + tableGap
		widths.Set(i, t.widths[i]+tableGap)
		align[i] = tw.AlignLeft
		if c.right {
			align[i] = tw.AlignRight
		}
		titles[i] = c.title
	}
	t.table = tablewriter.NewTable(t.w,
		tablewriter.WithStreaming(tw.StreamConfig{Enable: true}),
		tablewriter.WithWidths(tw.CellWidth{PerColumn: widths}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithRowAutoWrap(tw.WrapTruncate),
		tablewriter.WithRendition(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.On},
			},
		}),
	)
	if err := t.table.Start(); err != nil {
		return err
	}
	t.table.Header(titles...)
	for _, row := range t.held {
		if err := t.append(row); err != nil {
			return err
		}
	}
	t.held = nil
	return nil
}

func (t *flowTable) append(row []string) error {
	for i := range row {
		row[i] = runewidth.Truncate(row[i], t.widths[i], "…")
	}
	if err := t.table.Append(row); err != nil {
		return err
	}
	return t.w.err
}

// Flush draws what is held back.
func (t *flowTable) Flush() error {
	if t.table == nil && len(t.held) > 0 {
		if err := t.start(); err != nil {
			return err
		}
	}
	return t.w.flush()
}

// Close completes the table. One without flows is nothing at all.
func (t *flowTable) Close() error {
	if err := t.Flush(); err != nil || t.table == nil {
		return err
	}
	if err := t.table.Close(); err != nil {
		return err
	}
	return t.w.flush()
}

// trimmer takes the spaces off the ends of lines: the last column is padded, too.
type trimmer struct {
	w   io.Writer
	buf []byte // whole lines, and the beginning of one
	err error
}

const trimmerSize = 32 << 10

func (t *trimmer) Write(p []byte) (int, error) {
	for l := range bytes.Lines(p) {
		t.buf = append(t.buf, l...)
		if bytes.HasSuffix(l, []byte("\n")) {
			t.buf = append(bytes.TrimRight(t.buf[:len(t.buf)-1], " "), '\n')
		}
	}
	if len(t.buf) >= trimmerSize {
		return len(p), t.flush()
	}
	return len(p), t.err
}

func (t *trimmer) flush() error {
	if t.err == nil && len(t.buf) > 0 {
		_, t.err = t.w.Write(t.buf)
	}
	t.buf = t.buf[:0]
	return t.err
}
