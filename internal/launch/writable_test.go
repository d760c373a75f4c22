package launch

import (
	"os"
	"strings"
	"testing"
)

func TestWritableWarnings(t *testing.T) {
	needRoot(t)
	for name, test := range map[string]struct {
		dir, file os.FileMode
		want      string
	}{
		"safe":        {0o755, 0o644, ""},
		"group":       {0o775, 0o664, ""},
		"file":        {0o755, 0o666, "changed by every user"},
		"directory":   {0o777, 0o644, "replaced by every user"},
		"sticky":      {0o777 | os.ModeSticky, 0o644, ""},
		"sticky file": {0o777 | os.ModeSticky, 0o646, "changed by every user"},
	} {
		dir := t.TempDir()
		file := dir + "/supervisord.conf"
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, test.file); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, test.dir); err != nil {
			t.Fatal(err)
		}
		got := WritableWarnings([]string{file, dir + "/none"})
		text := strings.Join(got, "\n")
		if !strings.Contains(text, test.want) || test.want == "" && text != "" {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := WritableWarnings([]string{os.DevNull}); len(got) != 0 {
		t.Errorf("a device: %q", got)
	}
}
