// Package python writes text the way Python does, where that text is part of
// Supervisor's interface: quoted strings in error messages, floating-point
// numbers on the wire, %-expansion in the configuration.
package python

// Repr returns s as Python's repr writes a str.
func Repr(s string) string { panic("not yet") }

// ReprBytes returns b as Python's repr writes a bytes object.
func ReprBytes(b []byte) string { panic("not yet") }

// ReprList returns the list as Python's repr writes a list of str.
func ReprList(list []string) string { panic("not yet") }

// FloatRepr returns f as Python's repr writes a float.
func FloatRepr(f float64) string { panic("not yet") }
