package realtest

import (
	"archive/tar"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/dockertest"
	"supervisord/internal/testenv"
)

// scratchImage makes an image that has nothing but static programs and a
// configuration, and returns its name.
func scratchImage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := testenv.BuildStatic(dir, "./cmd/...", testprog); err != nil {
		t.Fatal(err)
	}
	writeConf(t, filepath.Join(dir, "supervisord.conf"), "/bin", "/run")

	var image bytes.Buffer
	w := tar.NewWriter(&image)
	add := func(h *tar.Header, data []byte) {
		h.Size = int64(len(data))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	add(&tar.Header{Typeflag: tar.TypeDir, Name: "run/", Mode: 0o1777}, nil)
	for name, file := range map[string]string{
		"bin/supervisord":      "supervisord",
		"bin/supervisorctl":    "supervisorctl",
		"bin/testprog":         "testprog",
		"etc/supervisord.conf": "supervisord.conf",
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		add(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755}, data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	return dockertest.Import(t, &image, `ENTRYPOINT ["/bin/supervisord", "-n"]`)
}

// TestContainer runs the daemon as the first process of containers that have
// nothing else in them.
func TestContainer(t *testing.T) {
	dockertest.Need(t)
	if testenv.Reference() {
		t.Skip("the Python implementation is no static program")
	}
	image := scratchImage(t)
	for _, tt := range []struct {
		name    string
		options []string
		// notFirst is set where the daemon is not the first process.
		notFirst bool
	}{
		{name: "plain"},
		{name: "tty", options: []string{"-t"}},
		{name: "user", options: []string{"--user", "65534:65534"}},
		{name: "user_tty", options: []string{"--user", "65534:65534", "-t"}},
		{name: "read_only", options: []string{"--read-only", "--tmpfs", "/run"}},
		{name: "no_capabilities", options: []string{"--cap-drop", "ALL", "--security-opt", "no-new-privileges"}},
		{name: "init", options: []string{"--init"}, notFirst: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--network", "none"}, tt.options...)
			c := dockertest.Run(t, append(args, image)...)
			out := followContainer(t, c.ID)
			out.wait(t, "ready", "error", "success: server entered RUNNING state", "exited: orphan (exit status 0; expected)")
			if !tt.notFirst {
				out.wait(t, "supervisord started with pid 1", "reaped unknown pid ")
			}
			if status := c.Exec("/bin/supervisorctl", "status", "server"); !strings.Contains(status, "RUNNING") {
				t.Errorf("supervisorctl status in the container: %s", status)
			}

			dockertest.Docker(t, "stop", "-t", "60", c.ID)
			if code := c.Wait(); code != "0" {
				t.Errorf("exit status of the container is %s, want 0", code)
			}
			out.wait(t, "received SIGTERM indicating exit request", "bye", "stopped: server (exit status 0)")
		})
	}
}

// followContainer collects what a container writes, with more options for docker
// logs.
func followContainer(t *testing.T, id string, options ...string) *output {
	t.Helper()
	out := new(output)
	cmd := exec.Command("docker", append(append([]string{"logs", "-f"}, options...), id)...)
	cmd.Stdout = out
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return out
}
