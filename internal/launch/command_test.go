package launch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, mode := range map[string]os.FileMode{"a/tool": 0o755, "b/tool": 0o755, "b/plain": 0o644, "c/plain": 0o755, "here": 0o755} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("b/dir", 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		word, path, file, text string
		notFound               bool
	}{
		{word: "tool", path: "a:b", file: "a/tool"},
		{word: "tool", path: "none:b/:a", file: "b/tool"},
		{word: "b/tool", path: "", file: "b/tool"},
		{word: "./b//tool", path: "a", file: "./b//tool"},
		{word: dir + "/a/tool", path: "", file: dir + "/a/tool"},
		{word: "here", path: "", file: "here"},
		{word: "here", path: "a::b", file: "here"},
		{word: "tool", path: "", text: "can't find command 'tool'", notFound: true},
		{word: "it's", path: "a", text: `can't find command "it's"`, notFound: true},
		{word: "./tool", path: "a", text: "can't find command './tool'", notFound: true},
		{word: "here/x", path: "a", text: "can't find command 'here/x'", notFound: true},
		{word: "plain", path: "b:c", text: "command at 'b/plain' is not executable"},
		{word: "dir", path: "b", text: "command at 'b/dir' is a directory"},
	}
	for _, tt := range tests {
		file, err := Resolve([]string{tt.word, "argument"}, tt.path)
		if tt.text == "" {
			if err != nil || file != tt.file {
				t.Errorf("Resolve(%q, %q) = %q, %v; want %q", tt.word, tt.path, file, err, tt.file)
			}
			continue
		}
		var c *CommandError
		if !errors.As(err, &c) || c.Text != tt.text || c.NotFound != tt.notFound {
			t.Errorf("Resolve(%q, %q) fails with %#v, want %q, not found %v", tt.word, tt.path, err, tt.text, tt.notFound)
		}
	}
	if _, err := Resolve(nil, ""); err == nil || err.Error() != "command is empty" {
		t.Errorf("Resolve of nothing: %v", err)
	}
}

func init() {
	roles["resolve"] = func() {
		_, err := Resolve([]string{os.Getenv("FILE")}, "")
		fmt.Println(err)
	}
}

func TestResolveNoPermission(t *testing.T) {
	user := asUser(t, 54321)
	path := filepath.Join(t.TempDir(), "others")
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(path); dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got := runRole(t, "resolve", func(cmd *exec.Cmd) { user(cmd); cmd.Env = append(cmd.Env, "FILE="+path) })
	if want := "no permission to run command '" + path + "'\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCommandPath(t *testing.T) {
	t.Setenv("PATH", "/of/daemon")
	if got := CommandPath(map[string]string{"PATH": "/own"}); got != "/own" {
		t.Errorf("own path: %q", got)
	}
	if got := CommandPath(map[string]string{"PATH": ""}); got != "" {
		t.Errorf("own empty path: %q", got)
	}
	if got := CommandPath(nil); got != "/of/daemon" {
		t.Errorf("path of the daemon: %q", got)
	}
	t.Setenv("PATH", "")
	if got := CommandPath(nil); got != "/bin:/usr/bin:/usr/local/bin" {
		t.Errorf("default path: %q", got)
	}
}

func TestChildEnv(t *testing.T) {
	base := []string{"B=1", "A=2", "B=3", "ODD", "=X=1", "SUPERVISOR_ENABLED=0", "EMPTY=", "LATE=a=b"}
	got := ChildEnv(base, ChildVars{
		ServerURL: "unix:///s", ProcessName: "p", GroupName: "g",
		Environment: map[string]string{"A": "two", "NEW": "n", "SUPERVISOR_GROUP_NAME": "mine"},
	})
	want := []string{
		"B=1", "A=two", "SUPERVISOR_ENABLED=1", "EMPTY=", "LATE=a=b",
		"NEW=n", "SUPERVISOR_GROUP_NAME=mine", "SUPERVISOR_PROCESS_NAME=p", "SUPERVISOR_SERVER_URL=unix:///s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	got = ChildEnv(nil, ChildVars{ProcessName: "p", GroupName: "g"})
	want = []string{"SUPERVISOR_ENABLED=1", "SUPERVISOR_GROUP_NAME=g", "SUPERVISOR_PROCESS_NAME=p"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
