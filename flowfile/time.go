package flowfile

import (
	"math"
	"strconv"
	"time"
)

// Time is a moment in nanoseconds since the Unix epoch; 0 means unknown.
type Time int64

// TimeOf converts t; the zero time.Time is unknown.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixNano())
}

// Time returns t in UTC, the zero time.Time if t is unknown.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(t)).UTC()
}

// Known tells whether t is known.
func (t Time) Known() bool { return t != 0 }

// Sub returns t-u in nanoseconds, and false if either is unknown.
func (t Time) Sub(u Time) (time.Duration, bool) {
	if t == 0 || u == 0 {
		return 0, false
	}
	return time.Duration(t - u), true
}

// TimeFromSeconds converts seconds since the epoch, as mitmproxy stores them. The split
// into whole and fraction is exact, so Seconds gives the same float64 back for every
// moment between May 1970, where float64 gets coarser than a nanosecond, and the year 2262.
// NaN, infinities and what lies outside are
// unknown.
func TimeFromSeconds(s float64) Time {
	whole := math.Floor(s)
	if !(math.Abs(whole) < 9.2e9) { // also NaN
		return 0
	}
	return Time(int64(whole)*1e9 + int64(math.Round((s-whole)*1e9)))
}

// Seconds returns t in seconds since the epoch, correctly rounded.
func (t Time) Seconds() float64 {
	// From 2004 to 2038 a float64 counts in 1/2^22 seconds. No number of nanoseconds lies
	// half way between two of them: that takes a multiple of 5^9, which is one of 2^-9 s too.
	if whole := int64(t) / 1e9; whole >= 1<<30 && whole < 1<<31 {
		ticks := (int64(t)%1e9<<22 + 5e8) / 1e9
		return float64(whole<<22+ticks) / (1 << 22)
	}
	// float64(t)/1e9 would round twice; the parser of decimals rounds once.
	var buf [24]byte
	b := strconv.AppendInt(buf[:0], int64(t), 10)
	b = append(b, "e-9"...)
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		panic("flowfile: internal error: " + err.Error())
	}
	return f
}

// RFC3339 returns t as RFC 3339 in UTC with nine digits, "" if unknown.
func (t Time) RFC3339() string {
	if t == 0 {
		return ""
	}
	return t.Time().Format("2006-01-02T15:04:05.000000000Z07:00")
}
