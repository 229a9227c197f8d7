package progress

import (
	"testing"
	"time"
)

func TestText(t *testing.T) {
	check := func(done, total int64, want string) {
		t.Helper()
		if got := Text(func() (int64, int64) { return done, total }, 2*time.Second); got != want {
			t.Errorf("%d of %d: %q, want %q", done, total, got, want)
		}
	}
	check(0, 0, "0 B read, 0 B/s")
	check(2<<20, 0, "2.00 MB read, 1.00 MB/s")
	check(2<<20, 8<<20, " 25% of 8.00 MB, 1.00 MB/s, 6s left")
	check(9<<20, 8<<20, "9.00 MB read, 4.50 MB/s") // the file has grown
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.00 kB", 10235: "10.0 kB", 1023 << 10: "1023 kB",
		1<<20 - 1: "1.00 MB", 5 << 40: "5.00 TB", 1<<63 - 1: "8 EB",
	} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
