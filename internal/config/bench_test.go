package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkLoad loads 1,000 programs, each with a section and a few options.
func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("[supervisord]\nlogfile=/tmp/x\n[unix_http_server]\nfile=/tmp/s\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "[program:p%d]\ncommand=/bin/sleep %d ; comment\nstartsecs=0\nstdout_logfile=/tmp/%%(program_name)s.log\n", i, i)
	}
	file := filepath.Join(b.TempDir(), "s.conf")
	writeFile(b, file, text.String())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(Options{File: file}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDiff(b *testing.B) {
	var groups [2][]*Group
	for i := range groups {
		for j := range 1000 {
			groups[i] = append(groups[i], &Group{Name: fmt.Sprint(j), Processes: []*Process{{Name: "p", Environment: map[string]string{"A": "1"}}}})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, changed, _ := Diff(groups[0], groups[1]); changed != nil {
			b.Fatal(changed)
		}
	}
}
