// Package webtest tests the web pages in a real browser, as a person uses
// them. It holds a Supervisor that runs nothing and does what a test tells it,
// and tests that drive Chromium (Debian package chromium) over its debugging
// protocol. No program links it.
package webtest
