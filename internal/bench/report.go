package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// introduction explains the table.
const introduction = `# Benchmarks

%s makes this page. It runs this project and the original one after the
other, in %d rounds, on the same machine, and beside them the limit: a program
that does no more than the machine must do. The figures are medians, with the
least and the greatest in brackets. *Better* says how many times better this
project is than the original; *of the limit* how near it comes to what the
machine can do (1 is as good). Every run checks what it has done: that processes
run and are new ones, that logs have the checksum of what was written, that
listeners got every event. [benchmarks-newest.md](benchmarks-newest.md) has some of
it for the newest version of the original, [benchmarks-pvm.md](benchmarks-pvm.md)
all of it for a machine whose system is virtualized in software.

%s

`

// report writes the table of what was measured.
func (s *suite) report(workloads []workload, pictures []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, introduction, "`make bench`", s.rounds, s.machine())
	if s.quick {
		b.WriteString("This was a quick run, with a tenth of the work that the table names.\n\n")
	}
	b.WriteString("| | the original | this project | better | limit | of the limit |\n|---|---|---|---|---|---|\n")
	var notes []string
	for _, w := range workloads {
		for _, row := range w.rows {
			b.WriteString(s.line(row))
		}
		for _, who := range []string{theirs, ours, limit} {
			if why := s.failed[w.name+", "+who]; why != "" {
				why = strings.ReplaceAll(why, s.dir, "DIR")
				notes = append(notes, fmt.Sprintf("- %s: %s did not get there: %s.\n", w.title(), who, strings.TrimSpace(why)))
			}
		}
	}
	b.WriteString("\n")
	if notes != nil {
		b.WriteString("## What did not work\n\n" + strings.Join(notes, "") + "\n")
	}
	b.WriteString("## What the figures are limited by\n\n")
	said := make(map[string]bool)
	for _, w := range workloads {
		for _, row := range w.rows {
			if row.bound != "" && !said[row.bound] {
				said[row.bound] = true
				fmt.Fprintf(&b, "- %s. %s", row.title, row.bound)
				if row.limit != "" {
					fmt.Fprintf(&b, " The limit is %s.", row.limit)
				}
				b.WriteString("\n")
			}
		}
	}
	b.WriteString("\n## How cost grows\n\nBoth axes are logarithmic.\n\n")
	for _, p := range pictures {
		fmt.Fprintf(&b, "![%s](images/%s)\n", strings.TrimSuffix(p, ".svg"), p)
	}
	return b.String()
}

// title names a workload as the table does.
func (w workload) title() string {
	if len(w.rows) == 0 {
		return w.name
	}
	return w.rows[0].title
}

// line is a line of the table.
func (s *suite) line(r row) string {
	found := s.found[r.key]
	title := r.title
	if r.unit != "" {
		title += ", " + r.unit
	}
	return fmt.Sprintf("| %s | %v | %v | %s | %v | %s |\n", title, found[theirs], found[ours],
		ratio(found[theirs], found[ours], r.rate), found[limit], ratio(found[limit], found[ours], r.rate))
}

// ratio says how many times better ours is than another.
func ratio(other, ours samples, rate bool) string {
	v := other.median() / ours.median()
	if rate {
		v = 1 / v
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return digits(v)
}

// machine describes where the figures come from.
func (s *suite) machine() string {
	cpu := "unknown processor"
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
			}
		}
	}
	return fmt.Sprintf("Measured on %s: %d processors (%s), Linux %s, %s; the original is %s; files on %s. Load when the run began: %s, when it ended: %s; where it is more than a little, other work took part, and single figures mean little.",
		time.Now().Format("2 January 2006"), runtime.NumCPU(), cpu, read("/proc/sys/kernel/osrelease"), runtime.Version(),
		s.version(), s.filesystem(), s.load, read("/proc/loadavg"))
}

// version is what the original says that it is.
func (s *suite) version() string {
	out, err := exec.Command(s.impls[theirs].daemon, "--version").Output()
	if err != nil {
		return "not installed"
	}
	return strings.TrimSpace(string(out))
}

// filesystem is the type of the file system that logs are written to.
func (s *suite) filesystem() string {
	out, err := exec.Command("stat", "-f", "-c", "%T", filepath.Dir(s.dir)).Output()
	if err != nil {
		return "an unknown file system"
	}
	return strings.TrimSpace(string(out))
}

// read is the text of a small file.
func read(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
