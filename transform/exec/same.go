package exec

import (
	"bytes"
	"math"
	"math/big"
	"reflect"

	"flowkit/flowfile"
)

// same compares two values of the model as far as JSON lines can tell them: empty lists are
// the same as none, bodies are the same if their bytes are, the order of metadata and of
// unknown fields is nothing, and 1.0 is 1, as some programs write it.
func same(a, b any) bool { return sameValue(reflect.ValueOf(a), reflect.ValueOf(b)) }

var (
	bodyType  = reflect.TypeFor[flowfile.Body]()
	mapType   = reflect.TypeFor[flowfile.Map]()
	extraType = reflect.TypeFor[flowfile.Extra]()
)

func sameValue(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return sameNumber(a.Interface(), b.Interface())
	}
	switch a.Type() {
	case bodyType:
		return sameBody(a.Interface().(flowfile.Body), b.Interface().(flowfile.Body))
	case mapType, extraType:
		return sameSet(a, b)
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		return sameValue(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !sameValue(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		for i := range min(a.Len(), b.Len()) {
			if !sameValue(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return a.Len() == b.Len()
	case reflect.Float64:
		return a.Float() == b.Float() || math.IsNaN(a.Float()) && math.IsNaN(b.Float())
	}
	return a.Equal(b)
}

// sameSet compares two lists in any order.
func sameSet(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	taken := make([]bool, b.Len())
next:
	for i := range a.Len() {
		// Mostly the order is the same.
		for k := range b.Len() {
			if j := (i + k) % b.Len(); !taken[j] && sameValue(a.Index(i), b.Index(j)) {
				taken[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func sameNumber(a, b any) bool {
	x, ok1 := number(a)
	y, ok2 := number(b)
	return ok1 && ok2 && x.Cmp(y) == 0
}

func number(v any) (*big.Float, bool) {
	switch v := v.(type) {
	case int64:
		return new(big.Float).SetInt64(v), true
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, false
		}
		return big.NewFloat(v), true
	case flowfile.BigInt:
		f, _, err := big.ParseFloat(string(v), 10, 4096, big.ToNearestEven)
		return f, err == nil
	}
	return nil, false
}

// sameBody compares bodies by their bytes. One that cannot be read is the same as any: it
// stays what it is.
func sameBody(a, b flowfile.Body) bool {
	if a.State() != b.State() || a.State() == flowfile.BodyTruncated && a.Total() != b.Total() {
		return false
	}
	if m, n := a.Size(), b.Size(); m >= 0 && n >= 0 && m != n {
		return false
	}
	x, err1 := a.Bytes(-1)
	y, err2 := b.Bytes(-1)
	return err1 != nil || err2 != nil || bytes.Equal(x, y)
}
