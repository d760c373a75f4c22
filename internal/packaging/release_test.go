package packaging

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/dockertest"
	"supervisord/internal/testenv"
)

// TestReproducible builds the release of the last commit twice, in different
// directories and without anything that was compiled before, and compares the
// checksums. Then it looks at what was built.
func TestReproducible(t *testing.T) {
	dockertest.NeedLong(t)
	testenv.NeedProgram(t, "git", "git")
	source, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	var sums [2]string
	var built, version string
	for i := range sums {
		dir := t.TempDir()
		output(t, "git", "clone", "-q", "--no-hardlinks", source, dir+"/source")
		source = dir + "/source" // The repository may have a new commit any time.
		version = strings.TrimSpace(output(t, "git", "-C", source, "describe", "--tags", "--always"))
		built = filepath.Join(dir, "dist")
		cmd := exec.Command(dir+"/source/internal/packaging/build", "release")
		cmd.Env = append(os.Environ(), "DIST="+built, "GOCACHE="+dir+"/cache", "TMPDIR="+dir, "TZ=Asia/Tokyo")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(out)
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds:\n%s\n%s", sums[0], sums[1])
	}
	if n := strings.Count(sums[0], "\n"); n != 4 {
		t.Errorf("%d files, want an archive and a package for two architectures:\n%s", n, sums[0])
	}
	output(t, "sh", "-c", "cd "+built+" && sha256sum -c --quiet SHA256SUMS")

	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		name := "supervisord-" + version + "-linux-" + arch
		output(t, "tar", "-C", built, "-xf", filepath.Join(built, name+".tar.gz"))
		for _, program := range []string{"supervisord", "supervisorctl", "pidproxy", "echo_supervisord_conf"} {
			f, err := elf.Open(filepath.Join(built, name, "bin", program))
			if err != nil {
				t.Fatal(err)
			}
			if libraries, _ := f.ImportedLibraries(); f.Machine != machine || len(libraries) > 0 {
				t.Errorf("%s for %s: machine %v, libraries %q", program, arch, f.Machine, libraries)
			}
			f.Close()
		}
	}
	info := output(t, filepath.Join(built, "supervisord-"+version+"-linux-amd64", "bin", "supervisord"), "--build-info")
	if !strings.Contains(info, "version: "+version+"\n") {
		t.Errorf("supervisord --build-info: %s, want version %s", info, version)
	}
}
