package wire

import "encoding/hex"

// parseUUID reads the canonical form, 8-4-4-4-12 lower-case hexadecimal digits.
func parseUUID(s string, b *[16]byte) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	at := 0
	for i := 0; i < 36; {
		if s[i] == '-' {
			i++
			continue
		}
		hi, lo := digit(s[i]), digit(s[i+1])
		if hi < 0 || lo < 0 {
			return false
		}
		b[at] = byte(hi<<4 | lo)
		at, i = at+1, i+2
	}
	return true
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// formatUUID is the inverse of parseUUID; b has 16 bytes.
func formatUUID(b string) string {
	var out [36]byte
	src := []byte(b)
	hex.Encode(out[0:8], src[0:4])
	out[8] = '-'
	hex.Encode(out[9:13], src[4:6])
	out[13] = '-'
	hex.Encode(out[14:18], src[6:8])
	out[18] = '-'
	hex.Encode(out[19:23], src[8:10])
	out[23] = '-'
	hex.Encode(out[24:], src[10:16])
	return string(out[:])
}
