package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// samples are the figures of one kind of one contestant.
type samples []float64

func (s samples) median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// String is the median and, where there are more than one, the least and the
// greatest.
func (s samples) String() string {
	switch len(s) {
	case 0:
		return "–"
	case 1:
		return digits(s[0])
	}
	return fmt.Sprintf("%s (%s–%s)", digits(s.median()), digits(slices.Min(s)), digits(slices.Max(s)))
}

// digits writes a number with three digits that mean something.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1000:
		text := fmt.Sprintf("%.0f", v)
		return text[:len(text)-3] + "," + text[len(text)-3:]
	case a >= 100 || a == math.Trunc(a):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// ms is a duration in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
