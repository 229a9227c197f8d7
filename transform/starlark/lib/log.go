package lib

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// LogKey is the thread-local under which the log module looks for a
// *slog.Logger. Without one, messages are dropped.
const LogKey = "flowkit.log"

func newLog() *starlarkstruct.Module {
	return &starlarkstruct.Module{Name: "log", Members: starlark.StringDict{
		"debug":   logFunc("log.debug", slog.LevelDebug),
		"error":   logFunc("log.error", slog.LevelError),
		"info":    logFunc("log.info", slog.LevelInfo),
		"warn":    logFunc("log.warn", slog.LevelWarn),
		"warning": logFunc("log.warning", slog.LevelWarn),
	}}
}

// logFunc returns log.level(msg, *args, **attrs). A message below the logger's
// level is not even formatted.
func logFunc(name string, level slog.Level) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) == 0 {
			return nil, fmt.Errorf("%s: missing argument for msg", name)
		}
		logger, _ := thread.Local(LogKey).(*slog.Logger)
		ctx := context.Background()
		if logger == nil || !logger.Enabled(ctx, level) {
			return starlark.None, nil
		}
		msg := display(args[0])
		if len(args) > 1 {
			var err error
			if msg, err = formatPercent(msg, args[1:]); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		attrs := make([]slog.Attr, len(kwargs))
		for i, kw := range kwargs {
			attrs[i] = slog.String(string(kw[0].(starlark.String)), display(kw[1]))
		}
		logger.LogAttrs(ctx, level, msg, attrs...)
		return starlark.None, nil
	})
}

// display is str(v).
func display(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	return v.String()
}

// maxWidth bounds the width and precision of a conversion.
const maxWidth = 1000

// conversion is a parsed %[flags][width][.precision]verb.
type conversion struct {
	minus, zero, plus, space, alt bool
	width, precision              int // precision -1 if not given
	verb                          byte
}

// formatPercent is Python's format % args with flags, width and precision, which
// the interpreter's own % lacks.
func formatPercent(format string, args starlark.Tuple) (string, error) {
	var out strings.Builder
	next := 0
	arg := func() (starlark.Value, error) {
		if next == len(args) {
			return nil, fmt.Errorf("not enough arguments for format string")
		}
		next++
		return args[next-1], nil
	}
	for {
		text, rest, found := strings.Cut(format, "%")
		out.WriteString(text)
		if !found {
			break
		}
		c, n, err := parseConversion(rest, arg)
		if err != nil {
			return "", err
		}
		format = rest[n:]
		if c.verb == '%' {
			out.WriteByte('%')
			continue
		}
		v, err := arg()
		if err != nil {
			return "", err
		}
		s, err := c.format(v)
		if err != nil {
			return "", err
		}
		out.WriteString(s)
	}
	if next < len(args) {
		return "", fmt.Errorf("not all arguments converted during string formatting")
	}
	return out.String(), nil
}

// parseConversion reads what follows a percent sign and returns its length.
func parseConversion(s string, arg func() (starlark.Value, error)) (c conversion, n int, err error) {
	c.precision = -1
	for ; n < len(s); n++ {
		switch s[n] {
		case '-':
			c.minus = true
		case '0':
			c.zero = true
		case '+':
			c.plus = true
		case ' ':
			c.space = true
		case '#':
			c.alt = true
		default:
			if c.width, n, err = parseWidth(s, n, arg); err != nil {
				return c, n, err
			}
			if c.width < 0 {
				c.minus, c.width = true, -c.width
			}
			if n < len(s) && s[n] == '.' {
				if c.precision, n, err = parseWidth(s, n+1, arg); err != nil {
					return c, n, err
				}
				c.precision = max(c.precision, 0)
			}
			if n == len(s) {
				return c, n, fmt.Errorf("incomplete format")
			}
			c.verb = s[n]
			return c, n + 1, nil
		}
	}
	return c, n, fmt.Errorf("incomplete format")
}

func parseWidth(s string, n int, arg func() (starlark.Value, error)) (width, end int, err error) {
	if n < len(s) && s[n] == '*' {
		v, err := arg()
		if err != nil {
			return 0, n, err
		}
		width, err = starlark.AsInt32(v)
		if err != nil {
			return 0, n, fmt.Errorf("* wants int: %w", err)
		}
		n++
	}
	for ; n < len(s) && isDigit(s[n]) && width <= maxWidth; n++ {
		width = width*10 + int(s[n]-'0')
	}
	if width > maxWidth || width < -maxWidth {
		return 0, n, fmt.Errorf("width or precision above %d", maxWidth)
	}
	return width, n, nil
}

func (c conversion) format(v starlark.Value) (string, error) {
	sign, body, numeric := "", "", true
	switch c.verb {
	case 's', 'r', 'a':
		body, numeric = display(v), false
		if c.verb != 's' {
			body = v.String()
		}
		if runes := []rune(body); c.precision >= 0 && c.precision < len(runes) {
			body = string(runes[:c.precision])
		}
	case 'c':
		numeric = false
		if n, ok := v.(starlark.Int); ok {
			r, err := starlark.AsInt32(n)
			if err != nil {
				return "", fmt.Errorf("%%c: %w", err)
			}
			body = string(rune(r))
		} else if body = display(v); len([]rune(body)) != 1 {
			return "", fmt.Errorf("%%c requires int or a single character")
		}
	case 'd', 'i', 'u', 'x', 'X', 'o':
		n, err := integer(v)
		if err != nil {
			return "", fmt.Errorf("%%%c format: %w", c.verb, err)
		}
		sign, body = c.integer(n)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f, ok := starlark.AsFloat(v)
		if !ok {
			return "", fmt.Errorf("%%%c format: a number is required, not %s", c.verb, v.Type())
		}
		sign, body = c.float(f)
	default:
		return "", fmt.Errorf("unsupported format character %q", c.verb)
	}
	if numeric && !strings.HasPrefix(sign, "-") {
		switch {
		case c.plus:
			sign = "+" + sign
		case c.space:
			sign = " " + sign
		}
	}
	pad := c.width - len([]rune(sign+body))
	switch {
	case pad <= 0:
		return sign + body, nil
	case c.minus:
		return sign + body + strings.Repeat(" ", pad), nil
	case c.zero && numeric:
		return sign + strings.Repeat("0", pad) + body, nil
	}
	return strings.Repeat(" ", pad) + sign + body, nil
}

func integer(v starlark.Value) (*big.Int, error) {
	if b, ok := v.(starlark.Bool); ok {
		if b {
			return big.NewInt(1), nil
		}
		return new(big.Int), nil
	}
	n, err := starlark.NumberToInt(v)
	if err != nil {
		return nil, err
	}
	return n.BigInt(), nil
}

// integer returns sign and digits; the prefix of the alternate form goes with the
// sign, for zeros come after it.
func (c conversion) integer(n *big.Int) (sign, digits string) {
	base, prefix := 10, ""
	switch c.verb {
	case 'x', 'X':
		base, prefix = 16, "0"+string(rune(c.verb))
	case 'o':
		base, prefix = 8, "0o"
	}
	if n.Sign() < 0 {
		sign = "-"
	}
	digits = new(big.Int).Abs(n).Text(base)
	if c.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if len(digits) < c.precision {
		digits = strings.Repeat("0", c.precision-len(digits)) + digits
	}
	if c.alt {
		sign += prefix
	}
	return sign, digits
}

func (c conversion) float(f float64) (sign, digits string) {
	if math.Signbit(f) && !math.IsNaN(f) {
		sign, f = "-", -f
	}
	precision := c.precision
	if precision < 0 {
		precision = 6
	}
	switch {
	case math.IsNaN(f):
		digits = "nan"
	case math.IsInf(f, 0):
		digits = "inf"
	case c.verb|0x20 == 'g':
		digits = formatG(f, max(precision, 1))
	default:
		digits = strconv.FormatFloat(f, c.verb|0x20, precision, 64)
	}
	if c.verb < 'a' {
		digits = strings.ToUpper(digits)
	}
	return sign, digits
}

// formatG is C's %g, which strconv's differs from in when it turns to exponents.
func formatG(f float64, precision int) string {
	e := strconv.FormatFloat(f, 'e', precision-1, 64)
	mantissa, exponent, _ := strings.Cut(e, "e")
	if x, _ := strconv.Atoi(exponent); x >= -4 && x < precision {
		return trimZeros(strconv.FormatFloat(f, 'f', precision-1-x, 64))
	}
	return trimZeros(mantissa) + "e" + exponent
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
