package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A curve is how one figure of one contestant grows.
type curve struct {
	name, color string
	x, y        []float64
}

// The picture, in pixels: its size, and the margins around the curves.
const (
	width, height             = 560, 340
	left, right, top, bottom  = 64, 24, 44, 48
	innerWidth, innerHeight   = width - left - right, height - top - bottom
	least                     = 0.01 // what is drawn of values that are zero
	legendStep, legendSquares = 130, 10
)

// axis returns the powers of ten between which values are drawn.
func axis(from, to float64) (low, high float64) {
	low = math.Pow(10, math.Floor(math.Log10(max(from, least))))
	high = math.Pow(10, math.Ceil(math.Log10(max(to, least))))
	if low == high {
		high *= 10
	}
	return low, high
}

// plot draws curves over logarithmic axes.
func plot(title, xLabel string, curves []curve) string {
	var xs, ys []float64
	for _, c := range curves {
		xs, ys = append(xs, c.x...), append(ys, c.y...)
	}
	xLow, xHigh := axis(bounds(xs))
	yLow, yHigh := axis(bounds(ys))
	x := func(v float64) float64 { return left + innerWidth*share(v, xLow, xHigh) }
	y := func(v float64) float64 { return height - bottom - innerHeight*share(v, yLow, yHigh) }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	text := func(x, y float64, anchor, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="#333">%s</text>`+"\n", x, y, anchor, html.EscapeString(s))
	}
	line := func(x1, y1, x2, y2 float64) {
		fmt.Fprintf(&b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="#ddd"/>`+"\n", x1, y1, x2, y2)
	}
	text(left, 18, "start", title)
	text(left+innerWidth/2, height-10, "middle", xLabel)
	for v := xLow; v <= xHigh*1.01; v *= 10 {
		line(x(v), top, x(v), height-bottom)
		text(x(v), height-bottom+18, "middle", fmt.Sprintf("%g", v))
	}
	for v := yLow; v <= yHigh*1.01; v *= 10 {
		line(left, y(v), width-right, y(v))
		text(left-8, y(v)+4, "end", fmt.Sprintf("%.4g", v))
	}
	for i, c := range curves {
		points := make([]string, len(c.x))
		for j := range c.x {
			points[j] = fmt.Sprintf("%.1f,%.1f", x(c.x[j]), y(c.y[j]))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s: %g, %s</title></circle>`+"\n",
				x(c.x[j]), y(c.y[j]), c.color, html.EscapeString(c.name), c.x[j], digits(c.y[j]))
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), c.color)
		at := float64(left + i*legendStep)
		fmt.Fprintf(&b, `<rect x="%.1f" y="26" width="%d" height="%[2]d" fill="%s"/>`+"\n", at, legendSquares, c.color)
		text(at+legendSquares+5, 35, "start", c.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// bounds returns the least and the greatest value.
func bounds(values []float64) (low, high float64) {
	low, high = math.Inf(1), 0
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// share is where a value lies between low and high, from 0 to 1.
func share(v, low, high float64) float64 {
	return math.Log10(max(v, low)/low) / math.Log10(high/low)
}
