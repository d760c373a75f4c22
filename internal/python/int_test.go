package python

import (
	"math"
	"strings"
	"testing"
)

func TestInt(t *testing.T) {
	for _, c := range []struct {
		in   string
		base int
		want int64
	}{
		{"0", 10, 0},
		{" +1_0 ", 10, 10},
		{"-17", 10, -17},
		{"007", 10, 7},
		{"\uff19\u0663", 10, 93},
		{"\u00a05\u2003", 10, 5},
		{"9223372036854775807", 10, math.MaxInt64},
		{"9223372036854775808", 10, math.MaxInt64},
		{"-99999999999999999999999", 10, -math.MaxInt64},
		{"022", 8, 18},
		{"0o22", 8, 18},
		{"0O_22", 8, 18},
		{"0_7", 8, 7},
		{"-7", 8, -7},
	} {
		if got, err := Int(c.in, c.base); err != nil || got != c.want {
			t.Errorf("Int(%q, %d) = %d, %v, want %d", c.in, c.base, got, err, c.want)
		}
	}
}

func TestIntErrors(t *testing.T) {
	for _, c := range []struct {
		in   string
		base int
		want string
	}{
		{"", 10, "invalid literal for int() with base 10: ''"},
		{"1.5", 10, "invalid literal for int() with base 10: '1.5'"},
		{"_1", 10, "invalid literal for int() with base 10: '_1'"},
		{"1_", 10, "invalid literal for int() with base 10: '1_'"},
		{"1__0", 10, "invalid literal for int() with base 10: '1__0'"},
		{"- 1", 10, "invalid literal for int() with base 10: '- 1'"},
		{"\x1c5", 10, `invalid literal for int() with base 10: '\x1c5'`},
		{"9", 8, "invalid literal for int() with base 8: '9'"},
		{"0o", 8, "invalid literal for int() with base 8: '0o'"},
		{"0o7_", 8, "invalid literal for int() with base 8: '0o7_'"},
		{"0o_", 8, "invalid literal for int() with base 8: '0o_'"},
		{"0o7", 10, "invalid literal for int() with base 10: '0o7'"},
		{strings.Repeat("9", 4301), 10, "Exceeds the limit (4300 digits) for integer string conversion: " +
			"value has 4301 digits; use sys.set_int_max_str_digits() to increase the limit"},
	} {
		if _, err := Int(c.in, c.base); err == nil || err.Error() != c.want {
			t.Errorf("Int(%q, %d): error %v, want %s", c.in, c.base, err, c.want)
		}
	}
}
