package mitm

import (
	"math"
	"reflect"
	"testing"

	"flowkit/flowfile"
)

// TestFloat writes floats as Python's repr does.
func TestFloat(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", -1.5: "-1.5", 0.1: "0.1", 1e-4: "0.0001", 0.00012: "0.00012", 1e-5: "1e-05",
		1e15: "1000000000000000.0", 1e16: "1e+16", 1.5e300: "1.5e+300", 123456789.125: "123456789.125",
		1795232103.4266865: "1795232103.4266865", 5e-324: "5e-324",
		math.Inf(1): "inf", math.Inf(-1): "-inf", math.Copysign(0, -1): "-0.0",
	} {
		if f == 0 && math.Signbit(f) {
			want = "-0.0"
		}
		if got := string(appendFloat(nil, f)); got != want && !(f == 0 && (got == "0.0" || got == "-0.0")) {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
	if got := string(appendFloat(nil, math.NaN())); got != "nan" {
		t.Errorf("NaN: %s", got)
	}
}

// FuzzTnetstring decodes a value, writes it and decodes it again.
func FuzzTnetstring(f *testing.F) {
	for _, s := range []string{"0:~", "4:true!", "5:1e+16^", "1:a,", "21:123456789012345678901#", "13:1:a;6:3:abc,]}", "0:}0:]", "007:1:a;0:~}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		it, after, ok := next(b, 0, len(b))
		if !ok {
			return
		}
		if it.s < 2 || it.e < it.s || after != it.e+1 || after > len(b) {
			t.Fatalf("element %v, %d of %d bytes", it, after, len(b))
		}
		v, err := value(b, it, 0)
		if err != nil {
			return
		}
		e := encoder{version: maxVersion}
		e.value(v, 0)
		out := e.bytes()
		it, after, ok = next(out, 0, len(out))
		if !ok || after != len(out) {
			t.Fatalf("%q was written as %q", b, out)
		}
		again, err := value(out, it, 0)
		if err != nil {
			t.Fatal(err)
		}
		if e.lost == (Lost{}) && !reflect.DeepEqual(normal(again), normal(v)) {
			t.Fatalf("%q was read as %#v, then as %#v", b, v, again)
		}
	})
}

// normal replaces what does not equal itself.
func normal(v any) any {
	switch v := v.(type) {
	case float64:
		if v != v {
			return "NaN"
		}
	case flowfile.List:
		for i := range v {
			v[i] = normal(v[i])
		}
	case flowfile.Map:
		for i := range v {
			v[i].Value = normal(v[i].Value)
		}
	}
	return v
}
