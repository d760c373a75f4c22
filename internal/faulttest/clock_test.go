package faulttest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"supervisord/internal/testenv"
)

// kernel is where .ci/deps puts the kernel of the virtual machine.
const kernel = "/var/cache/supervisord-test/vmlinuz"

// TestClock sets the clock of a machine under supervisord. The machine is a
// virtual one, whose own clocks advance with the instructions that it executes and
// jump to the next deadline when it has nothing to do: what its host does
// meanwhile is not seen in it. Command clockguest, its init, is the test proper. With
// -soak the clock stays behind for 40 minutes of the machine's, too.
func TestClock(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("there is no kernel for this machine")
	}
	testenv.NeedProgram(t, "qemu-system-x86_64", "qemu-system-x86")
	testenv.NeedFile(t, kernel, "run .ci/deps")
	if testenv.Reference() {
		t.Skip("the original is not a static program")
	}
	dir := t.TempDir()
	if err := testenv.BuildStatic(dir, "./cmd/supervisord", "./internal/faulttest/clockguest"); err != nil {
		t.Fatal(err)
	}
	var files archive
	files.add(t, "init", filepath.Join(dir, "clockguest"))
	files.add(t, "supervisord", filepath.Join(dir, "supervisord"))
	files.add(t, "supervisord.conf", "clockguest/supervisord.conf")
	initramfs := filepath.Join(dir, "initramfs")
	if err := os.WriteFile(initramfs, files.bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	appended := "console=ttyS0,115200 panic=-1 reboot=t quiet"
	if *soak > 1 {
		appended += " -- long"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-machine", "microvm", "-accel", "tcg", "-icount", "shift=3,sleep=off", "-m", "256",
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-kernel", kernel, "-initrd", initramfs,
		"-append", appended)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "clock: passed") {
		t.Errorf("the machine ended with %v (%v) and said:\n%s", err, context.Cause(ctx), out)
	}
}

// An archive is one for cpio in the form "newc", the one that Linux reads.
type archive struct{ buf bytes.Buffer }

// add adds a file that everybody may read and execute.
func (a *archive) add(t *testing.T, name, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a.entry(name, 0o100755, data)
}

func (a *archive) entry(name string, mode int, data []byte) {
	header := []any{
		0, mode, 0, 0, // inode, mode, user, group
		1, 0, len(data), // links, time, size
		0, 0, 0, 0, len(name) + 1, 0, // devices, the name's size, no checksum
	}
	fmt.Fprintf(&a.buf, "070701"+strings.Repeat("%08x", len(header))+"%s\x00", append(header, name)...)
	a.align()
	a.buf.Write(data)
	a.align()
}

// align fills up to a multiple of four bytes.
func (a *archive) align() { a.buf.Write(make([]byte, -a.buf.Len()&3)) }

func (a *archive) bytes() []byte {
	a.entry("TRAILER!!!", 0, nil)
	return a.buf.Bytes()
}
