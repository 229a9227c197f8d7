package lib

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Pairs is what a [MultiDict] shows: a list of names and values in order.
type Pairs interface {
	Len() int
	At(i int) (name, value string)
	// Set replaces all pairs and may keep the slice.
	Set(pairs [][2]string) error
}

// HeaderSetter is an optional method of [Pairs] that saves d[name] = value from
// rebuilding the list: give the first pair of that name the value, keeping its
// place and its spelling, drop the others, or else append a pair.
type HeaderSetter interface {
	SetValue(name, value string) error
}

// PairList is a Pairs in memory.
type PairList [][2]string

// Len implements Pairs.
func (l *PairList) Len() int { return len(*l) }

// At implements Pairs.
func (l *PairList) At(i int) (name, value string) { return (*l)[i][0], (*l)[i][1] }

// Set implements Pairs.
func (l *PairList) Set(pairs [][2]string) error { *l = pairs; return nil }

// Options say how a MultiDict treats names. The zero value is right for a query.
type Options struct {
	FoldCase bool   // names match without regard to ASCII case
	FoldJoin string // joins the values of one name; "" means the first value
	TypeName string // for type(); "" means "MultiDict"
}

// MultiDict is an ordered dict in which a name may have several values, with
// mitmproxy's interface. It is a view: reads and writes go to its [Pairs], so it
// is as safe for concurrent use as they are. Assigning to a name keeps the place
// and spelling of its first pair, as mitmproxy does.
type MultiDict struct {
	pairs  Pairs
	opts   Options
	frozen bool
}

var (
	_ starlark.IterableMapping = (*MultiDict)(nil)
	_ starlark.HasSetKey       = (*MultiDict)(nil)
	_ starlark.Sequence        = (*MultiDict)(nil)
	_ starlark.Comparable      = (*MultiDict)(nil)
	_ starlark.HasSetField     = (*MultiDict)(nil)
)

// NewMultiDict returns a view of p.
func NewMultiDict(p Pairs, o Options) *MultiDict { return &MultiDict{pairs: p, opts: o} }

// FrozenError reports an attempt to change a frozen value.
type FrozenError struct {
	Op   string // what was attempted
	Type string // the script's name for the type
}

func (e *FrozenError) Error() string { return fmt.Sprintf("cannot %s frozen %s", e.Op, e.Type) }

func (d *MultiDict) String() string {
	var b strings.Builder
	b.WriteString(d.Type())
	b.WriteByte('[')
	for i := range d.pairs.Len() {
		if i > 0 {
			b.WriteString(", ")
		}
		k, v := d.pairs.At(i)
		fmt.Fprintf(&b, "(%s, %s)", syntax.Quote(k, false), syntax.Quote(v, false))
	}
	b.WriteByte(']')
	return b.String()
}

// Type returns Options.TypeName.
func (d *MultiDict) Type() string {
	if d.opts.TypeName != "" {
		return d.opts.TypeName
	}
	return "MultiDict"
}

func (d *MultiDict) Truth() starlark.Bool  { return d.pairs.Len() > 0 }
func (d *MultiDict) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", d.Type()) }

// Freeze makes the view read-only; what it shows may still change beneath it.
func (d *MultiDict) Freeze() {
	if !d.frozen {
		d.frozen = true
	}
}

// CompareSameType compares all pairs, in order and by exact spelling.
func (d *MultiDict) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other, ok := y.(*MultiDict)
	equal := ok && slices.Equal(d.list(), other.list())
	switch op {
	case syntax.EQL:
		return equal, nil
	case syntax.NEQ:
		return !equal, nil
	}
	return false, fmt.Errorf("%s %s %s not implemented", d.Type(), op, y.Type())
}

func (d *MultiDict) same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	if !d.opts.FoldCase {
		return a == b
	}
	for i := range len(a) {
		if a[i] != b[i] && lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// list copies the pairs.
func (d *MultiDict) list() [][2]string {
	list := make([][2]string, d.pairs.Len())
	for i := range list {
		list[i][0], list[i][1] = d.pairs.At(i)
	}
	return list
}

// lookup returns the value of a name, joined if the options say so.
func (d *MultiDict) lookup(name string) (value string, found bool) {
	for i := range d.pairs.Len() {
		k, v := d.pairs.At(i)
		switch {
		case !d.same(k, name):
		case !found:
			value, found = v, true
			if d.opts.FoldJoin == "" {
				return value, true
			}
		default:
			value += d.opts.FoldJoin + v
		}
	}
	return value, found
}

func (d *MultiDict) getAll(name string) []string {
	var values []string
	for i := range d.pairs.Len() {
		if k, v := d.pairs.At(i); d.same(k, name) {
			values = append(values, v)
		}
	}
	return values
}

// firsts returns one pair for each name, its values joined or the first.
func (d *MultiDict) firsts() [][2]string {
	all := d.list()
	out := make([][2]string, 0, len(all))
	seen := make(map[string]int, len(all))
	for _, p := range all {
		k := p[0]
		if d.opts.FoldCase {
			k = strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r | 0x20
				}
				return r
			}, k)
		}
		i, dup := seen[k]
		switch {
		case !dup:
			seen[k] = len(out)
			out = append(out, p)
		case d.opts.FoldJoin != "":
			out[i][1] += d.opts.FoldJoin + p[1]
		}
	}
	return out
}

func (d *MultiDict) mutable(op string) error {
	if d.frozen {
		return &FrozenError{Op: op, Type: d.Type()}
	}
	return nil
}

// setAll gives the pairs of a name new values one by one, drops the pairs that
// are left over and appends the values that are.
func (d *MultiDict) setAll(name string, values []string) error {
	if err := d.mutable("assign to"); err != nil {
		return err
	}
	if s, ok := d.pairs.(HeaderSetter); ok && len(values) == 1 {
		return s.SetValue(name, values[0])
	}
	out := make([][2]string, 0, d.pairs.Len()+len(values))
	for i := range d.pairs.Len() {
		k, v := d.pairs.At(i)
		if !d.same(k, name) {
			out = append(out, [2]string{k, v})
		} else if len(values) > 0 {
			out, values = append(out, [2]string{k, values[0]}), values[1:]
		}
	}
	for _, v := range values {
		out = append(out, [2]string{name, v})
	}
	return d.pairs.Set(out)
}

// delete drops all pairs of a name and returns its value as lookup does.
func (d *MultiDict) delete(name string) (value string, found bool, err error) {
	if err := d.mutable("delete from"); err != nil {
		return "", false, err
	}
	if value, found = d.lookup(name); !found {
		return "", false, nil
	}
	out := slices.DeleteFunc(d.list(), func(p [2]string) bool { return d.same(p[0], name) })
	return value, true, d.pairs.Set(out)
}

// Len counts different names, as Python's len does.
func (d *MultiDict) Len() int { return len(d.firsts()) }

// Iterate goes over a snapshot of the names.
func (d *MultiDict) Iterate() starlark.Iterator {
	pairs := d.firsts()
	names := make(starlark.Tuple, len(pairs))
	for i, p := range pairs {
		names[i] = starlark.String(p[0])
	}
	return names.Iterate()
}

// Items returns one pair for each name.
func (d *MultiDict) Items() []starlark.Tuple {
	pairs := d.firsts()
	items := make([]starlark.Tuple, len(pairs))
	for i, p := range pairs {
		items[i] = pairTuple(p)
	}
	return items
}

func pairTuple(p [2]string) starlark.Tuple {
	return starlark.Tuple{starlark.String(p[0]), starlark.String(p[1])}
}

// Get implements starlark.Mapping.
func (d *MultiDict) Get(k starlark.Value) (starlark.Value, bool, error) {
	name, err := d.want("name", k)
	if err != nil {
		return nil, false, err
	}
	v, found := d.lookup(name)
	return starlark.String(v), found, nil
}

// SetKey implements starlark.HasSetKey.
func (d *MultiDict) SetKey(k, v starlark.Value) error {
	name, err := d.want("name", k)
	if err != nil {
		return err
	}
	value, _, ok := text(v)
	if !ok { // what it is a value of is written only here: this is the most frequent edit
		_, err := d.want("value of "+syntax.Quote(name, false), v)
		return err
	}
	return d.setAll(name, []string{value})
}

// want returns the text of a str; bytes will do, as in mitmproxy.
func (d *MultiDict) want(what string, v starlark.Value) (string, error) {
	s, _, ok := text(v)
	if !ok {
		return "", fmt.Errorf("%s: %s must be a string, not %s", d.Type(), what, v.Type())
	}
	return s, nil
}

// PairsOf converts what a script may assign to a whole multidict: a MultiDict
// (all its pairs), a dict, or an iterable of pairs.
func PairsOf(v starlark.Value) ([][2]string, error) {
	if d, ok := v.(*MultiDict); ok {
		return d.list(), nil
	}
	tuples, err := pairsOf(v)
	if err != nil {
		return nil, err
	}
	return textPairs(tuples)
}

func textPairs(tuples []starlark.Tuple) ([][2]string, error) {
	pairs := make([][2]string, len(tuples))
	for i, t := range tuples {
		for j, what := range [2]string{"name", "value"} {
			s, _, ok := text(t[j])
			if !ok {
				return nil, fmt.Errorf("pair #%d: %s must be a string, not %s", i, what, t[j].Type())
			}
			pairs[i][j] = s
		}
	}
	return pairs, nil
}

// Attr implements starlark.HasAttrs.
func (d *MultiDict) Attr(name string) (starlark.Value, error) {
	if name != "fields" {
		return multiDictMethods.attr(d, name)
	}
	fields := make(starlark.Tuple, d.pairs.Len())
	for i, p := range d.list() {
		fields[i] = pairTuple(p)
	}
	return fields, nil
}

// AttrNames implements starlark.HasAttrs.
func (*MultiDict) AttrNames() []string { return append(multiDictMethods.names(), "fields") }

// SetField lets a script assign d.fields.
func (d *MultiDict) SetField(name string, v starlark.Value) error {
	if name != "fields" {
		return starlark.NoSuchAttrError(fmt.Sprintf("cannot assign to .%s of %s", name, d.Type()))
	}
	if err := d.mutable("assign to"); err != nil {
		return err
	}
	pairs, err := PairsOf(v)
	if err != nil {
		return fmt.Errorf("%s.fields: %w", d.Type(), err)
	}
	return d.pairs.Set(pairs)
}

type multiDictFunc = func(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

var multiDictMethods = methodsOf(map[string]multiDictFunc{
	"add":        multiDictAdd,
	"clear":      multiDictClear,
	"copy":       multiDictCopy,
	"get":        multiDictGet,
	"get_all":    multiDictGetAll,
	"insert":     multiDictInsert,
	"items":      multiDictList(func(p [2]string) starlark.Value { return pairTuple(p) }),
	"keys":       multiDictList(func(p [2]string) starlark.Value { return starlark.String(p[0]) }),
	"pop":        multiDictPop,
	"remove":     multiDictRemove,
	"set_all":    multiDictSetAll,
	"setdefault": multiDictSetdefault,
	"update":     multiDictUpdate,
	"values":     multiDictList(func(p [2]string) starlark.Value { return starlark.String(p[1]) }),
})

func multiDictAdd(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var k, v starlark.Value
	if err := starlark.UnpackArgs(fn, args, kwargs, "key", &k, "value", &v); err != nil {
		return nil, err
	}
	return starlark.None, d.insert(d.pairs.Len(), k, v)
}

func multiDictInsert(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var i optInt
	var k, v starlark.Value
	if err := starlark.UnpackArgs(fn, args, kwargs, "index", &i, "key", &k, "value", &v); err != nil {
		return nil, err
	}
	return starlark.None, d.insert(clampIndex(i.n, d.pairs.Len()), k, v)
}

func (d *MultiDict) insert(i int, k, v starlark.Value) error {
	if err := d.mutable("insert into"); err != nil {
		return err
	}
	name, err := d.want("name", k)
	if err != nil {
		return err
	}
	value, err := d.want("value of "+syntax.Quote(name, false), v)
	if err != nil {
		return err
	}
	return d.pairs.Set(slices.Insert(d.list(), i, [2]string{name, value}))
}

func multiDictClear(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(fn, args, kwargs); err != nil {
		return nil, err
	}
	if err := d.mutable("clear"); err != nil {
		return nil, err
	}
	return starlark.None, d.pairs.Set(nil)
}

func multiDictCopy(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(fn, args, kwargs); err != nil {
		return nil, err
	}
	list := PairList(d.list())
	return NewMultiDict(&list, d.opts), nil
}

func multiDictGet(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var k starlark.Value
	var dflt starlark.Value = starlark.None
	if err := starlark.UnpackArgs(fn, args, kwargs, "key", &k, "default?", &dflt); err != nil {
		return nil, err
	}
	v, found, err := d.Get(k)
	if err != nil {
		return nil, err
	}
	if !found {
		v = dflt
	}
	return v, nil
}

func multiDictGetAll(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var k textArg
	if err := starlark.UnpackArgs(fn, args, kwargs, "key", &k); err != nil {
		return nil, err
	}
	values := d.getAll(k.s)
	list := make([]starlark.Value, len(values))
	for i, v := range values {
		list[i] = starlark.String(v)
	}
	return starlark.NewList(list), nil
}

func multiDictList(part func(p [2]string) starlark.Value) multiDictFunc {
	return func(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		multi := false
		if err := starlark.UnpackArgs(fn, args, kwargs, "multi?", &multi); err != nil {
			return nil, err
		}
		pairs := d.list()
		if !multi {
			pairs = d.firsts()
		}
		list := make([]starlark.Value, len(pairs))
		for i, p := range pairs {
			list[i] = part(p)
		}
		return starlark.NewList(list), nil
	}
}

func multiDictPop(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var k textArg
	var dflt starlark.Value
	if err := starlark.UnpackArgs(fn, args, kwargs, "key", &k, "default?", &dflt); err != nil {
		return nil, err
	}
	v, found, err := d.delete(k.s)
	switch {
	case err != nil:
		return nil, err
	case found:
		return starlark.String(v), nil
	case dflt != nil:
		return dflt, nil
	}
	return nil, fmt.Errorf("%s.%s: missing key %s", d.Type(), fn, syntax.Quote(k.s, false))
}

// multiDictRemove stands in for Python's del statement.
func multiDictRemove(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 1 {
		return nil, fmt.Errorf("%s: got %d arguments, want 1", fn, len(args))
	}
	if _, err := multiDictPop(d, fn, args, kwargs); err != nil {
		return nil, err
	}
	return starlark.None, nil
}

func multiDictSetAll(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var k textArg
	var list starlark.Iterable
	if err := starlark.UnpackArgs(fn, args, kwargs, "key", &k, "values", &list); err != nil {
		return nil, err
	}
	var values []string
	for v := range starlark.Elements(list) {
		s, err := d.want("value of "+syntax.Quote(k.s, false), v)
		if err != nil {
			return nil, err
		}
		values = append(values, s)
	}
	return starlark.None, d.setAll(k.s, values)
}

func multiDictSetdefault(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var k, dflt starlark.Value
	if err := starlark.UnpackArgs(fn, args, kwargs, "key", &k, "default", &dflt); err != nil {
		return nil, err
	}
	v, found, err := d.Get(k)
	if err != nil || found {
		return v, err
	}
	return dflt, d.SetKey(k, dflt)
}

func multiDictUpdate(d *MultiDict, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 1 {
		return nil, fmt.Errorf("%s: got %d arguments, want at most 1", fn, len(args))
	}
	var tuples []starlark.Tuple
	if len(args) == 1 {
		var err error
		if tuples, err = pairsOf(args[0]); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", d.Type(), fn, err)
		}
	}
	pairs, err := textPairs(append(tuples, kwargs...))
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", d.Type(), fn, err)
	}
	if err := d.mutable("update"); err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if err := d.setAll(p[0], []string{p[1]}); err != nil {
			return nil, err
		}
	}
	return starlark.None, nil
}
