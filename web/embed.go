// Package web holds the files of the web pages: templates, stylesheets,
// scripts and images. They are written by hand and served as they are; there
// is no build step. Package webui serves them.
package web

import "embed"

// Files are the files of this directory, by their path below it.
//
//go:embed *.html stylesheets scripts images
var Files embed.FS
