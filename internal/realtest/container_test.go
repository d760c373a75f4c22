package realtest

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"supervisord/internal/dockertest"
	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

// confFile writes containerConf with more sections and returns the option of
// docker run that puts it in place of the image's.
func confFile(t *testing.T, more string) string {
	t.Helper()
	dir := openTemp(t)
	path := filepath.Join(dir, "supervisord.conf")
	writeConf(t, path, "/bin", "/run")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, more); err != nil {
		t.Fatal(err)
	}
	return "--volume=" + path + ":/etc/supervisord.conf:ro"
}

// TestContainerLife restarts and kills a container, whose files stay each time:
// a socket and a pidfile of a process that is no more do not matter.
func TestContainerLife(t *testing.T) {
	dockertest.Need(t)
	// The engine notes when it has started a container, when there may be output
	// already.
	since := time.Now()
	c := dockertest.Run(t, "--network", "none", scratchImage(t))
	follow := func() *output {
		return followContainer(t, c.ID, "--since", since.Format(time.RFC3339Nano))
	}
	docker := func(args ...string) {
		t.Helper()
		since = time.Now()
		dockertest.Docker(t, append(args, c.ID)...)
	}
	running := func() {
		t.Helper()
		follow().wait(t, "success: server entered RUNNING state")
		if status := c.Exec("/bin/supervisorctl", "status", "server"); !strings.Contains(status, "RUNNING") {
			t.Errorf("supervisorctl status: %s", status)
		}
	}
	running()
	docker("restart", "-t", "60")
	running()

	docker("kill")
	if code := c.Wait(); code != "137" {
		t.Errorf("exit status after SIGKILL is %s, want 137", code)
	}
	docker("start")
	follow().wait(t, "Unlinking stale socket")
	running()

	docker("kill", "-s", "HUP")
	out := follow()
	out.wait(t, "received SIGHUP indicating restart request", "stopped: server (exit status 0)", "success: server entered RUNNING state")
	docker("kill", "-s", "INT")
	if code := c.Wait(); code != "0" {
		t.Errorf("exit status after SIGINT is %s, want 0", code)
	}
	docker("start")
	running()
	c.Try("/bin/supervisorctl", "shutdown") // The container may end before its answer.
	if code := c.Wait(); code != "0" {
		t.Errorf("exit status after a shutdown is %s, want 0", code)
	}
}

// TestContainerRefuses starts a container with a configuration that is wrong.
func TestContainerRefuses(t *testing.T) {
	dockertest.Need(t)
	c := dockertest.Run(t, "--network", "none", confFile(t, "[program:none]\n"), scratchImage(t))
	if code := c.Wait(); code != "2" {
		t.Errorf("exit status is %s, want 2", code)
	}
	if logs := c.Logs(); !strings.Contains(logs, "Error: program section program:none does not specify a command") {
		t.Errorf("output:\n%s", logs)
	}
}

// TestContainerExitOn has programs that end, and with them the container.
func TestContainerExitOn(t *testing.T) {
	dockertest.Need(t)
	for _, c := range []struct{ program, status, log string }{
		{"command=/bin/testprog nothing\nexit_on=fatal", "1", "main is in state FATAL and has exit_on=fatal"},
		{"command=/bin/none\nexit_on=fatal", "127", "main is in state FATAL and has exit_on=fatal"},
		{"command=/bin/testprog orphan\nstartsecs=0\nautorestart=false\nexit_on=exit", "0", "main is in state EXITED and has exit_on=exit"},
	} {
		conf := confFile(t, "[program:main]\nstartretries=0\n"+c.program+"\n")
		container := dockertest.Run(t, "--network", "none", conf, scratchImage(t))
		if status := container.Wait(); status != c.status {
			t.Errorf("%s: the container ended with status %s, want %s", c.program, status, c.status)
		}
		if logs := container.Logs(); !strings.Contains(logs, c.log) || !strings.Contains(logs, "stopped: server (") {
			t.Errorf("%s: output:\n%s", c.program, logs)
		}
	}
}

// TestContainerMemory has a program that takes more memory than the container
// has. The kernel kills it and nothing else.
func TestContainerMemory(t *testing.T) {
	dockertest.Need(t)
	conf := confFile(t, `
[program:eat]
command=/bin/testprog eat
startretries=1
autostart=false
`)
	c := dockertest.Run(t, "--network", "none", "--memory", "64m", "--memory-swap", "64m", conf, scratchImage(t))
	out := followContainer(t, c.ID)
	out.wait(t, "success: server entered RUNNING state")
	c.Try("/bin/supervisorctl", "start", "eat")
	out.wait(t, "exited: eat (terminated by SIGKILL; not expected)", "gave up: eat entered FATAL state")
	if status, _ := c.Try("/bin/supervisorctl", "status"); !regexp.MustCompile(`server +RUNNING`).MatchString(status) {
		t.Errorf("status:\n%s", status)
	}
	if got := c.Inspect("{{.State.Running}}"); got != "true" {
		t.Errorf("the container runs: %s", got)
	}
	if strings.Contains(c.Logs(), "stopped: server") || strings.Contains(c.Logs(), "exited: server") {
		t.Errorf("another program was killed:\n%s", c.Logs())
	}
}

// TestContainerPort calls the daemon and looks at its pages through a port that
// the engine publishes.
func TestContainerPort(t *testing.T) {
	dockertest.Need(t)
	conf := confFile(t, `
[inet_http_server]
port=*:9001
username=user
password=123
`)
	c := dockertest.Run(t, "-p", "127.0.0.1::9001", conf, scratchImage(t))
	followContainer(t, c.ID).wait(t, "success: server entered RUNNING state")
	url := "http://" + dockertest.Docker(t, "port", c.ID, "9001/tcp")

	client, err := rpcclient.New(rpcclient.Options{ServerURL: url, Auth: true, Username: "user", Password: "123"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if info, err := client.ProcessInfo(ctx, "server"); err != nil || info.PID == 0 {
		t.Errorf("process %+v, %v", info, err)
	}
	for user, want := range map[string]int{"user": http.StatusOK, "other": http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(user, "123")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want {
			t.Errorf("page for %s: status %d, want %d; %v", user, resp.StatusCode, want, err)
		}
		if want == http.StatusOK && !strings.Contains(string(page), "server") {
			t.Errorf("the page does not show the program:\n%s", page)
		}
	}
}

// contextFor copies an example of the manual and more files into a directory to
// build an image from.
func contextFor(t *testing.T, example string, files ...string) string {
	t.Helper()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "docs/examples/containers", example))); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if out, err := exec.Command("cp", file, dir).CombinedOutput(); err != nil {
			t.Fatalf("cp %s: %v\n%s", file, err, out)
		}
	}
	return dir
}

// TestContainerExample builds the smallest image of the manual and waits until it
// is healthy and, without its program, is not.
func TestContainerExample(t *testing.T) {
	dockertest.Need(t)
	dir := contextFor(t, "scratch")
	bin := filepath.Join(dir, "bin")
	if err := testenv.BuildStatic(bin, "./cmd/...", testprog); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(bin, "testprog"), filepath.Join(dir, "server")); err != nil {
		t.Fatal(err)
	}
	c := dockertest.Run(t, "--network", "none", "--health-interval", "1s", "--health-retries", "1",
		dockertest.Build(t, dir))
	followContainer(t, c.ID).wait(t, "success: server entered RUNNING state", "ready", "error")
	c.AwaitHealth("healthy")
	c.Exec("/bin/supervisorctl", "stop", "server")
	c.AwaitHealth("unhealthy")
	dockertest.Docker(t, "stop", "-t", "60", c.ID)
	if code := c.Wait(); code != "0" {
		t.Errorf("exit status is %s, want 0", code)
	}
}

// TestContainerDebian builds the image of the manual that has servers of Debian,
// and runs it with and without a terminal and another first process.
func TestContainerDebian(t *testing.T) {
	base := dockertest.Debian(t, "bookworm")
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	dist := t.TempDir()
	build := exec.Command(filepath.Join(root, "internal/packaging/build"), "deb")
	build.Env = append(os.Environ(), "DIST="+dist)
	build.Stderr = os.Stderr
	deb, err := build.Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := contextFor(t, "debian", strings.TrimSpace(string(deb)))
	image := dockertest.Build(t, dir, "--build-arg", "BASE="+base)
	for _, tt := range []struct {
		name    string
		options []string
	}{
		{"plain", nil},
		{"tty", []string{"-t"}},
		{"init", []string{"--init"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dockertest.Run(t, append(tt.options, "--health-interval", "1s", "--health-retries", "1", image)...)
			out := followContainer(t, c.ID)
			out.wait(t, "success: apache entered RUNNING state", "success: nginx entered RUNNING state",
				"success: cron entered RUNNING state")
			c.AwaitHealth("healthy")
			for url, want := range map[string]string{
				"http://127.0.0.1/":      "Server: nginx",
				"http://127.0.0.1:8080/": "Server: Apache",
			} {
				if page := c.Exec("curl", "-fsSi", url); !strings.Contains(page, want) {
					t.Errorf("%s has no %q:\n%s", url, want, page)
				}
			}
			// What the servers write on standard error is seen, and what a job
			// of cron writes where the first process does.
			out.wait(t, "AH00558: apache2: Could not reliably determine the server's fully qualified domain name")
			c.Shell("echo '* * * * * root echo the job ran >/proc/1/fd/1' >/etc/cron.d/job")
			out.wait(t, "the job ran")
			if zombies := c.Shell("ps -eo stat=,args= | grep ^Z || :"); zombies != "" {
				t.Errorf("zombies:\n%s", zombies)
			}
			dockertest.Docker(t, "stop", "-t", "60", c.ID)
			if code := c.Wait(); code != "0" {
				t.Errorf("exit status is %s, want 0", code)
			}
			out.wait(t, "stopped: apache", "stopped: nginx", "stopped: cron")
		})
	}
}
