// Package dockertest runs containers for tests, with the client of a Docker
// engine. No image comes from a registry: they are made of static programs, or
// of a Debian system that debootstrap installs.
//
// Without an engine tests are skipped. With CONTAINER_TESTS=required, which make
// test-containers and make test-package set, they fail then, and those are run
// too that take minutes or need Debian's archive.
package dockertest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// required reports whether tests fail without an engine.
func required() bool { return os.Getenv("CONTAINER_TESTS") == "required" }

// Need skips the test unless a Docker engine answers.
func Need(tb testing.TB) {
	tb.Helper()
	out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	switch {
	case err == nil:
	case required():
		tb.Fatalf("no Docker engine answers: %v: %s", err, bytes.TrimSpace(out))
	default:
		tb.Skipf("no Docker engine answers: %v: %s", err, bytes.TrimSpace(out))
	}
}

// NeedLong skips the test unless an engine answers and time does not matter.
func NeedLong(tb testing.TB) {
	tb.Helper()
	if !required() {
		tb.Skip("only in make test-containers and make test-package (CONTAINER_TESTS=required)")
	}
	Need(tb)
}

// Docker runs a command of the Docker client and returns its output.
func Docker(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Import makes an image of a tar archive and returns its name. The changes are
// instructions of a Containerfile. The image is removed when the test ends.
func Import(tb testing.TB, archive io.Reader, changes ...string) string {
	tb.Helper()
	name := "supervisord-test:" + strings.ToLower(rand.Text())
	if err := importImage(archive, name, changes...); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { Docker(tb, "rmi", "-f", name) })
	return name
}

// Build makes an image of the Containerfile in a directory, with more options for
// docker build, and returns its name. The image is removed when the test ends.
func Build(tb testing.TB, dir string, options ...string) string {
	tb.Helper()
	name := "supervisord-test:" + strings.ToLower(rand.Text())
	args := append([]string{"build", "-q", "-t", name, "-f", filepath.Join(dir, "Containerfile")}, options...)
	Docker(tb, append(args, dir)...)
	tb.Cleanup(func() { Docker(tb, "rmi", "-f", name) })
	return name
}

func importImage(archive io.Reader, name string, changes ...string) error {
	args := []string{"import"}
	for _, c := range changes {
		args = append(args, "--change", c)
	}
	cmd := exec.Command("docker", append(args, "-", name)...)
	cmd.Stdin = archive
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.New("docker import: " + err.Error() + "\n" + string(out))
	}
	return nil
}

// A Container is a container that runs in the background, or has ended.
type Container struct {
	ID string
	tb testing.TB
}

// Run starts a container with the arguments of docker run, without -d. It is
// removed when the test ends; its output is logged if the test has failed.
func Run(tb testing.TB, args ...string) *Container {
	tb.Helper()
	c := &Container{ID: Docker(tb, append([]string{"run", "-d"}, args...)...), tb: tb}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("output of the container:\n%s", c.Logs())
		}
		Docker(tb, "rm", "-f", "-v", c.ID)
	})
	return c
}

// Exec runs a command in the container, which must succeed, and returns its
// output.
func (c *Container) Exec(args ...string) string {
	c.tb.Helper()
	out, status := c.Try(args...)
	if status != 0 {
		c.tb.Fatalf("%s: exit status %d\n%s", strings.Join(args, " "), status, out)
	}
	return out
}

// Shell runs a shell script in the container, which must succeed, and returns
// its output.
func (c *Container) Shell(script string) string {
	c.tb.Helper()
	return c.Exec("sh", "-ec", script)
}

// Try runs a command in the container and returns its output and exit status.
func (c *Container) Try(args ...string) (out string, status int) {
	c.tb.Helper()
	cmd := exec.Command("docker", append([]string{"exec", c.ID}, args...)...)
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.tb.Fatalf("docker exec: %v", err)
	}
	return strings.TrimSpace(string(b)), cmd.ProcessState.ExitCode()
}

// Logs returns what the container has written so far.
func (c *Container) Logs() string {
	c.tb.Helper()
	return Docker(c.tb, "logs", c.ID)
}

// Inspect returns what docker inspect makes of a template.
func (c *Container) Inspect(format string) string {
	c.tb.Helper()
	return Docker(c.tb, "inspect", "-f", format, c.ID)
}

// Wait waits for the end of the container and returns its exit status.
func (c *Container) Wait() string {
	c.tb.Helper()
	return Docker(c.tb, "wait", c.ID)
}

// AwaitHealth waits until the container's health is that, "healthy" for example.
func (c *Container) AwaitHealth(health string) {
	c.tb.Helper()
	// With since the engine repeats what was before the question.
	cmd := exec.Command("docker", "events", "--since", c.Inspect("{{.Created}}"), "--format", "{{.Status}}",
		"--filter", "container="+c.ID, "--filter", "event=health_status")
	events, err := cmd.StdoutPipe()
	if err != nil {
		c.tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.tb.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	for lines := bufio.NewScanner(events); lines.Scan(); {
		if lines.Text() == "health_status: "+health {
			return
		}
	}
	c.tb.Fatalf("the container does not become %s", health)
}
