package realtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/dockertest"
	"supervisord/internal/testenv"
)

// A manifest is what this test looks at in an object of Kubernetes.
type manifest struct {
	Kind string
	Data map[string]string // of a ConfigMap
	Spec struct {
		Template struct {
			Spec struct{ Containers []podContainer }
		}
	}
}

type podContainer struct {
	Args                                        []string
	LivenessProbe, ReadinessProbe, StartupProbe struct {
		Exec struct{ Command []string }
	}
}

// manifests reads the example of the manual by the types of Kubernetes, which
// must know everything in it.
func manifests(t *testing.T) (conf string, c podContainer) {
	t.Helper()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.Open(filepath.Join(root, "docs/examples/kubernetes/deployment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer example.Close()
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = "testdata/kubernetes"
	cmd.Stdin = example
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &errors)
	}
	var list []manifest
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || len(list[1].Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("the example is no ConfigMap and Deployment of one container: %+v", list)
	}
	return list[0].Data["supervisord.conf"], list[1].Spec.Template.Spec.Containers[0]
}

// TestContainerKubernetes runs a container as the example for Kubernetes
// describes it, and asks it as the probes do.
func TestContainerKubernetes(t *testing.T) {
	dockertest.NeedLong(t)
	conf, pod := manifests(t)
	dir := openTemp(t)
	if err := os.WriteFile(filepath.Join(dir, "supervisord.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	image := contextFor(t, "scratch")
	bin := filepath.Join(image, "bin")
	if err := testenv.BuildStatic(bin, "./cmd/...", testprog); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(bin, "testprog"), filepath.Join(image, "server")); err != nil {
		t.Fatal(err)
	}
	c := dockertest.Run(t, append([]string{
		"--network", "none", "--user", "65534:65534", "--read-only", "-v", openTemp(t) + ":/run",
		"--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "256m",
		"-v", dir + ":/etc/supervisor:ro", dockertest.Build(t, image),
	}, pod.Args...)...)
	followContainer(t, c.ID).wait(t, "success: server entered RUNNING state")

	probe := func(name string, command []string, want bool) {
		t.Helper()
		if out, status := c.Try(command...); (status == 0) != want {
			t.Errorf("the %s probe has the exit status %d: %s", name, status, out)
		}
	}
	probe("startup", pod.StartupProbe.Exec.Command, true)
	probe("readiness", pod.ReadinessProbe.Exec.Command, true)
	probe("liveness", pod.LivenessProbe.Exec.Command, true)

	c.Exec("/bin/supervisorctl", "-c", "/etc/supervisor/supervisord.conf", "stop", "server")
	probe("readiness", pod.ReadinessProbe.Exec.Command, false)
	probe("liveness", pod.LivenessProbe.Exec.Command, true)

	dockertest.Docker(t, "stop", "-t", "30", c.ID)
	if code := c.Wait(); code != "0" {
		t.Errorf("exit status is %s, want 0", code)
	}
}
