package mitm

import (
	"math/rand"
	"strconv"
	"testing"

	"flowkit/flowfile"
)

// TestClock: the short way gives what the long one gives.
func TestClock(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	check := func(s string, must bool) {
		t.Helper()
		got, ok := clock([]byte(s))
		f, err := strconv.ParseFloat(s, 64)
		if must && !ok || ok && (err != nil || got != flowfile.TimeFromSeconds(f)) {
			t.Fatalf("%s: %d, %v", s, got, ok)
		}
	}
	for range 200000 {
		whole := 1<<30 + r.Int63n(1<<30)
		n := 1 + r.Intn(8)
		s := strconv.FormatInt(whole, 10) + "."
		for range n {
			s += string(rune('0' + r.Intn(10)))
		}
		check(s, true)
		check(strconv.FormatFloat(float64(whole)+r.Float64(), 'f', -1, 64), false)
	}
	for _, s := range []string{
		"1073741824.0", "2147483647.99999999", "1700000000.99999999", "1700000000.00000001",
	} {
		check(s, true)
	}
	for _, s := range []string{
		"1073741823.5", "2147483648.5", "1700000000.", "1700000000.123456789", "1700000000", "17000000000.5",
		"-700000000.5", "1700000000.5e1", "1700000000.-5", "170000000 .5", "", ".", "nan", "+1700000000.5",
	} {
		check(s, false)
		if _, ok := clock([]byte(s)); ok {
			t.Errorf("%q was taken", s)
		}
	}
}
