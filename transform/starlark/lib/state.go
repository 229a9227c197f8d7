package lib

import (
	"fmt"
	"sync"
	"sync/atomic"

	"go.starlark.net/starlark"
)

// State is a dict that stays writable after a module is frozen, for counts and
// seen-before sets across flows. Each operation is locked. A read followed by a
// write is two operations, and the values are not locked, so a script that uses
// state must see its flows in order; see [UsesState].
//
// The zero value is empty and ready for use.
type State struct {
	mu       sync.Mutex
	dict     starlark.Dict
	printing atomic.Bool
}

var (
	_ starlark.IterableMapping = (*State)(nil)
	_ starlark.HasSetKey       = (*State)(nil)
	_ starlark.Sequence        = (*State)(nil)
	_ starlark.HasAttrs        = (*State)(nil)
)

// String prints the contents; a State inside itself prints as state({...}).
func (s *State) String() string {
	if !s.printing.CompareAndSwap(false, true) {
		return "state({...})"
	}
	defer s.printing.Store(false)
	return "state(" + s.snapshot().String() + ")"
}

func (*State) Type() string           { return "state" }
func (*State) Freeze()                {} // staying mutable is the point
func (s *State) Truth() starlark.Bool { return s.Len() > 0 }
func (*State) Hash() (uint32, error)  { return 0, fmt.Errorf("unhashable type: state") }

// Len implements starlark.Sequence.
func (s *State) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dict.Len()
}

// Get implements starlark.Mapping.
func (s *State) Get(k starlark.Value) (starlark.Value, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dict.Get(k)
}

// SetKey implements starlark.HasSetKey.
func (s *State) SetKey(k, v starlark.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dict.SetKey(k, v)
}

// Items returns a snapshot.
func (s *State) Items() []starlark.Tuple {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dict.Items()
}

// Iterate goes over a snapshot of the keys, so a loop may change the state.
func (s *State) Iterate() starlark.Iterator { return s.keys().Iterate() }

func (s *State) keys() starlark.Tuple {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dict.Keys()
}

func (s *State) snapshot() *starlark.Dict {
	items := s.Items()
	d := starlark.NewDict(len(items))
	for _, item := range items {
		_ = d.SetKey(item[0], item[1]) // was a key before
	}
	return d
}

func (s *State) Attr(name string) (starlark.Value, error) { return stateMethods.attr(s, name) }
func (*State) AttrNames() []string                        { return stateMethods.names() }

type stateFunc = func(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

var stateMethods = methodsOf(map[string]stateFunc{
	"add":        stateAdd,
	"clear":      stateClear,
	"get":        stateGet,
	"items":      stateList(func(item starlark.Tuple) starlark.Value { return item }),
	"keys":       stateList(func(item starlark.Tuple) starlark.Value { return item[0] }),
	"pop":        statePop,
	"setdefault": stateSetdefault,
	"update":     stateUpdate,
	"values":     stateList(func(item starlark.Tuple) starlark.Value { return item[1] }),
})

// stateAdd adds n to a counter, in one step, and returns the new value.
func stateAdd(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key starlark.Value
	var n starlark.Value = starlark.MakeInt(1)
	if err := starlark.UnpackArgs(fn, args, kwargs, "key", &key, "n?", &n); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, found, err := s.dict.Get(key)
	if err != nil {
		return nil, fmt.Errorf("state.%s: %w", fn, err)
	}
	if !found {
		sum = starlark.MakeInt(0)
	}
	if sum, err = addNumbers(sum, n); err != nil {
		return nil, fmt.Errorf("state.%s: %w", fn, err)
	}
	return sum, s.dict.SetKey(key, sum)
}

func addNumbers(x, y starlark.Value) (starlark.Value, error) {
	xi, xInt := x.(starlark.Int)
	yi, yInt := y.(starlark.Int)
	if xInt && yInt {
		return xi.Add(yi), nil
	}
	xf, xok := starlark.AsFloat(x)
	yf, yok := starlark.AsFloat(y)
	if !xok || !yok {
		return nil, fmt.Errorf("cannot add %s to %s, want numbers", y.Type(), x.Type())
	}
	return starlark.Float(xf + yf), nil
}

func stateClear(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(fn, args, kwargs); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return starlark.None, s.dict.Clear()
}

func stateGet(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key starlark.Value
	var dflt starlark.Value = starlark.None
	if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &key, &dflt); err != nil {
		return nil, err
	}
	v, found, err := s.Get(key)
	if err != nil {
		return nil, fmt.Errorf("state.%s: %w", fn, err)
	}
	if !found {
		v = dflt
	}
	return v, nil
}

func stateList(part func(item starlark.Tuple) starlark.Value) stateFunc {
	return func(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := starlark.UnpackArgs(fn, args, kwargs); err != nil {
			return nil, err
		}
		items := s.Items()
		list := make([]starlark.Value, len(items))
		for i, item := range items {
			list[i] = part(item)
		}
		return starlark.NewList(list), nil
	}
}

func statePop(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key, dflt starlark.Value
	if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &key, &dflt); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, found, err := s.dict.Delete(key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("state.%s: %w", fn, err)
	case found:
		return v, nil
	case dflt != nil:
		return dflt, nil
	}
	return nil, fmt.Errorf("state.%s: missing key %s", fn, key)
}

func stateSetdefault(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var key starlark.Value
	var dflt starlark.Value = starlark.None
	if err := starlark.UnpackPositionalArgs(fn, args, kwargs, 1, &key, &dflt); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, found, err := s.dict.Get(key)
	if err != nil {
		return nil, fmt.Errorf("state.%s: %w", fn, err)
	}
	if found {
		return v, nil
	}
	return dflt, s.dict.SetKey(key, dflt)
}

func stateUpdate(s *State, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 1 {
		return nil, fmt.Errorf("state.%s: got %d arguments, want at most 1", fn, len(args))
	}
	// The arguments are read before locking: one may be the state itself.
	var pairs []starlark.Tuple
	if len(args) == 1 {
		var err error
		if pairs, err = pairsOf(args[0]); err != nil {
			return nil, fmt.Errorf("state.%s: %w", fn, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range append(pairs, kwargs...) {
		if err := s.dict.SetKey(p[0], p[1]); err != nil {
			return nil, fmt.Errorf("state.%s: %w", fn, err)
		}
	}
	return starlark.None, nil
}

// pairsOf returns the items of a mapping, or of an iterable of pairs.
func pairsOf(v starlark.Value) ([]starlark.Tuple, error) {
	switch v := v.(type) {
	case starlark.IterableMapping:
		return v.Items(), nil
	case starlark.Iterable:
		var pairs []starlark.Tuple
		for elem := range starlark.Elements(v) {
			pair, ok := elem.(starlark.Indexable)
			if _, isString := elem.(starlark.String); !ok || isString {
				return nil, fmt.Errorf("element #%d is a %s, want a pair", len(pairs), elem.Type())
			}
			if pair.Len() != 2 {
				return nil, fmt.Errorf("element #%d has length %d, want 2", len(pairs), pair.Len())
			}
			pairs = append(pairs, starlark.Tuple{pair.Index(0), pair.Index(1)})
		}
		return pairs, nil
	}
	return nil, fmt.Errorf("got %s, want a dict or an iterable of pairs", v.Type())
}
