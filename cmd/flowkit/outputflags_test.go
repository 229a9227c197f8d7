package main

import "testing"

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "17": 17, "500k": 500 << 10, "64m": 64 << 20, "64M": 64 << 20, "2g": 2 << 30, "1t": 1 << 40,
		"": -1, "m": -1, "-1": -1, "1.5g": -1, "9999999t": -1, "64mb": -1, " 1": -1,
	} {
		got, err := parseSize(in)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
