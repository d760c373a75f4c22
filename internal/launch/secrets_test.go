package launch

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"supervisord/internal/config"
)

// files writes files into a new directory and returns it.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFill(t *testing.T) {
	dir := files(t, map[string]string{
		"a.env": "A=file\nB=file\n", "b.env": "B=later\nnothing\n=\n", "one": "1\n", "two": "2\n\n", "empty": "",
	})
	secret := func(names ...string) (t config.Template) {
		for _, name := range names {
			t = append(t, config.Part{Text: "<"}, config.Part{File: filepath.Join(dir, name)})
		}
		return t
	}
	p := &config.Process{
		Argv:               []string{"run", "x"},
		Environment:        map[string]string{"A": "ini", "C": "ini", "D": "shown"},
		ArgvSecrets:        map[int]config.Template{1: secret("two", "empty")},
		EnvironmentSecrets: map[string]config.Template{"D": secret("one")},
		EnvironmentFiles: []config.EnvironmentFile{
			{Path: filepath.Join(dir, "none.env"), Optional: true}, {Path: filepath.Join(dir, "*.env")},
			{Path: filepath.Join(dir, "no*.env"), Optional: true},
		},
	}
	f, err := Fill(p)
	if err != nil {
		t.Fatal(err)
	}
	want := Filled{
		Argv:        []string{"run", "<2\n<"},
		Environment: map[string]string{"A": "file", "B": "later", "C": "ini", "D": "<1"},
		Warnings:    []string{"line 2 of environment file '" + dir + "/b.env' is no NAME=VALUE and sets nothing, nor do 1 more lines"},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("%q\nwant %q", f, want)
	}
	if p.Argv[1] != "x" || p.Environment["D"] != "shown" || p.Environment["A"] != "ini" {
		t.Errorf("the configuration has changed: %q %q", p.Argv, p.Environment)
	}
}

// TestFillErrors has files that cannot be read. What is in them is not told.
func TestFillErrors(t *testing.T) {
	dir := files(t, map[string]string{
		"nul": "hunter\x00two", "large": strings.Repeat("hunter", maxSecret), "larger": strings.Repeat("hunter", maxEnvironmentFile), "latin": "A=\xe9",
	})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"nul":   "can't read secret file 'DIR/nul': it has a NUL character",
		"large": "can't read secret file 'DIR/large': it is larger than 131072 bytes",
		"none":  "can't read secret file 'DIR/none': no such file or directory",
		"pipe":  "can't read secret file 'DIR/pipe': it is not a regular file",
		".":     "can't read secret file 'DIR': it is not a regular file",
	} {
		secret := config.Template{{File: filepath.Join(dir, name)}}
		for _, p := range []*config.Process{
			{EnvironmentSecrets: map[string]config.Template{"A": secret}},
			{Argv: []string{"x"}, ArgvSecrets: map[int]config.Template{0: secret}},
		} {
			_, err := Fill(p)
			if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
	for name, want := range map[string]string{
		"nul":    "can't read environment file 'DIR/nul': line 1 has a NUL character",
		"latin":  "can't read environment file 'DIR/latin': line 1 is not UTF-8",
		"larger": "can't read environment file 'DIR/larger': it is larger than 1048576 bytes",
		"none":   "can't read environment file 'DIR/none': no such file or directory",
		"pipe":   "can't read environment file 'DIR/pipe': it is not a regular file",
		"x*":     "can't read environment file 'DIR/x*': nothing matches",
	} {
		_, err := Fill(&config.Process{EnvironmentFiles: []config.EnvironmentFile{{Path: filepath.Join(dir, name)}}})
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func TestShellIn(t *testing.T) {
	const passwd = "root:x:0:0:root:/root:/bin/bash\n+nis\nmail:x:8:8::/:\n"
	for name, want := range map[string]string{"root": "/bin/bash", "mail": "/bin/sh", "none": "/bin/sh", "+nis": "/bin/sh"} {
		if got, err := shellIn(strings.NewReader(passwd), name); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
}

func TestUserVariables(t *testing.T) {
	got, err := userVariables(0)
	if err != nil {
		t.Fatal(err)
	}
	if got["HOME"] != "/root" || got["USER"] != "root" || got["LOGNAME"] != "root" || !strings.HasPrefix(got["SHELL"], "/") {
		t.Errorf("root has %v", got)
	}
	if _, err := Fill(&config.Process{UserEnvironment: true, UID: 54321}); err == nil || err.Error() != "Can't find uid 54321" {
		t.Errorf("error %v", err)
	}
}

func TestWithGroup(t *testing.T) {
	got, err := WithGroup(&syscall.Credential{Uid: 1, Gid: 2, Groups: []uint32{2, 3, 4}}, 3)
	if want := (&syscall.Credential{Uid: 1, Gid: 3, Groups: []uint32{3, 2, 4}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}
