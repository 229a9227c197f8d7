package lib

import (
	"fmt"
	"math"
	"math/big"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// newTime returns the part of starlark-go's time module that depends on nothing
// but its arguments: no clock, and UTC as the only zone.
func newTime() *starlarkstruct.Module {
	members := starlark.StringDict{
		"from_timestamp": starlark.NewBuiltin("time.from_timestamp", timeFromTimestamp),
		"parse_time":     starlark.NewBuiltin("time.parse_time", timeParse),
	}
	for _, name := range []string{"parse_duration", "nanosecond", "microsecond", "millisecond", "second", "minute", "hour"} {
		members[name] = startime.Module.Members[name]
	}
	return &starlarkstruct.Module{Name: "time", Members: members}
}

// timeFromTimestamp takes seconds since 1970, as flows have them.
func timeFromTimestamp(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var v starlark.Value
	nsec := int64(0)
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &v, &nsec); err != nil {
		return nil, err
	}
	f, ok := starlark.AsFloat(v)
	if !ok || math.Abs(f) > 1<<40 || math.IsNaN(f) {
		return nil, fmt.Errorf("%s: got %s, want seconds since 1970", b.Name(), v)
	}
	// By way of a rational, as a float64 of nanoseconds would not be exact.
	r := new(big.Rat).SetFloat64(f)
	sec := int64(math.Floor(f))
	r.Sub(r, new(big.Rat).SetInt64(sec))
	frac, _ := r.Mul(r, big.NewRat(1e9, 1)).Float64()
	return startime.Time(time.Unix(sec, int64(math.Round(frac))+nsec).UTC()), nil
}

func timeParse(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s string
	layout := time.RFC3339
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "x", &s, "format?", &layout); err != nil {
		return nil, err
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name(), err)
	}
	return startime.Time(t), nil
}
