package main

import "testing"

func TestSamples(t *testing.T) {
	for _, c := range []struct {
		in   samples
		want string
	}{
		{nil, "–"},
		{samples{0.1234}, "0.12"},
		{samples{3, 1, 2}, "2 (1–3)"},
		{samples{10, 20.25}, "15.1 (10–20.2)"},
		{samples{12345.6}, "12,346"},
		{samples{999.6}, "1000"},
	} {
		if got := c.in.String(); got != c.want {
			t.Errorf("%v.String() = %q, want %q", []float64(c.in), got, c.want)
		}
	}
}

func TestAxis(t *testing.T) {
	for _, c := range []struct{ least, greatest, low, high float64 }{
		{0.5, 70, 0.1, 100},
		{1, 1000, 1, 1000},
		{0, 5, 0.01, 10},
		{7, 7, 1, 10},
	} {
		if low, high := axis(c.least, c.greatest); low != c.low || high != c.high {
			t.Errorf("axis(%v, %v) = %v, %v, want %v, %v", c.least, c.greatest, low, high, c.low, c.high)
		}
	}
}
