package logfile

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const sample = "0123456789abcdefghij\nsecond line\n"

func sampleFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(sample), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	path := sampleFile(t)
	tests := []struct {
		offset, length int64
		want           string
		err            error
	}{
		{0, 0, sample, nil},
		{0, 5, "01234", nil},
		{5, 5, "56789", nil},
		{30, 1000, "ne\n", nil},
		{33, 0, "", nil},
		{1000, 0, "", nil},
		{1000, 5, "", nil},
		{-5, 0, "line\n", nil},
		{-1000, 0, sample, nil},
		{math.MinInt64, 0, sample, nil},
		{0, math.MaxInt64, sample, nil},
		{math.MaxInt64, math.MaxInt64, "", nil},
		{0, -1, "", ErrBadArguments},
		{-5, 5, "", ErrBadArguments},
		{-5, -5, "", ErrBadArguments},
	}
	for _, tt := range tests {
		got, err := Read(path, tt.offset, tt.length)
		if string(got) != tt.want || err != tt.err {
			t.Errorf("Read(%d, %d) = %q, %v, want %q, %v", tt.offset, tt.length, got, err, tt.want, tt.err)
		}
	}
	for _, path := range []string{path + ".none", filepath.Dir(path)} {
		if _, err := Read(path, 0, 0); err != ErrFailed {
			t.Errorf("Read of %s: %v", path, err)
		}
	}
	if got, err := Read("/dev/null", 0, 0); len(got) != 0 || err != nil {
		t.Errorf("Read of /dev/null = %q, %v", got, err)
	}
}

func TestReadLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(MaxRead + 1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, 0, 0); err != ErrFailed {
		t.Errorf("Read = %v", err)
	}
	if data, offset, overflow := Tail(path, 0, MaxRead+1); len(data) != 0 || offset != 0 || overflow {
		t.Errorf("Tail = %d bytes, %d, %v", len(data), offset, overflow)
	}
}

func TestTail(t *testing.T) {
	path := sampleFile(t)
	tests := []struct {
		offset, length int64
		want           string
		overflow       bool
	}{
		{0, 0, "", true},
		{0, 5, "line\n", true},
		{0, 33, sample, false},
		{0, 1000, sample, false},
		{10, 23, sample[10:], false},
		{33, 10, "", false},
		{1000, 5, "", false},
		{-5, 10, "econd line"[1:] + "\n", true},
		{math.MaxInt64, math.MaxInt64, "", false},
		{math.MinInt64, math.MinInt64, "", true},
	}
	for _, tt := range tests {
		got, offset, overflow := Tail(path, tt.offset, tt.length)
		if string(got) != tt.want || offset != 33 || overflow != tt.overflow {
			t.Errorf("Tail(%d, %d) = %q, %d, %v, want %q, 33, %v", tt.offset, tt.length, got, offset, overflow, tt.want, tt.overflow)
		}
	}
	if got, offset, overflow := Tail(path+".none", 7, 5); len(got) != 0 || offset != 7 || overflow {
		t.Errorf("Tail of no file = %q, %d, %v", got, offset, overflow)
	}
}

// reference asks the original for the results of its own functions.
const reference = `
import json, sys
from supervisor.options import readFile, tailFile
path, cases = json.load(sys.stdin)
out = []
for offset, length in cases:
    try:
        read = readFile(path, offset, length).decode()
    except ValueError as why:
        read = "error " + why.args[0]
    out.append([read] + tailFile(path, offset, length))
json.dump(out, sys.stdout)
`

func TestReadAndTailAsTheOriginal(t *testing.T) {
	python := "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import supervisor.options").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("import supervisor.options: %v", err)
		}
		t.Skip("install the Debian package supervisor to compare with it")
	}
	path := sampleFile(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	var cases [][2]int64
	for range 5000 {
		cases = append(cases, [2]int64{rnd.Int64N(80) - 40, rnd.Int64N(80) - 40})
	}
	in, err := json.Marshal([]any{path, cases})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", reference)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want [][4]any
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		read, err := Read(path, c[0], c[1])
		if err != nil {
			read = []byte("error " + err.Error())
		}
		data, offset, overflow := Tail(path, c[0], c[1])
		got := [4]any{string(read), string(data), float64(offset), overflow}
		if got != want[i] {
			t.Fatalf("(%d, %d): got %q, want %q", c[0], c[1], got, want[i])
		}
	}
}
