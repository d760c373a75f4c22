package webtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

// TestUpgrade upgrades the daemon while its pages are looked at: they connect
// again by themselves and show what has changed since, and a log goes on.
func TestUpgrade(t *testing.T) {
	dir := t.TempDir()
	if err := testenv.BuildStatic(dir, "./cmd/supervisord"); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	file := filepath.Join(dir, "supervisord.conf")
	config := fmt.Sprintf(`[inet_http_server]
port=127.0.0.1:%d
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=%[2]s/supervisord.log
pidfile=%[2]s/supervisord.pid
childlogdir=%[2]s
nodaemon=true
[program:talker]
command=/bin/sh -c 'echo first; while read line; do echo "heard $line"; done'
startsecs=0
stdout_logfile=%[2]s/talker.log
[program:later]
command=/bin/cat
startsecs=0
autostart=false
`, port, dir)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	startDaemon(t, filepath.Join(dir, "supervisord"), file)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	client, err := rpcclient.New(rpcclient.Options{ServerURL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	// A stream that ends is an error to the console.
	lost := []string{"ERR_", "net::"}
	table, log := newTab(t), newTab(t)
	table.url, log.url, table.expected, log.expected = url, url, lost, lost
	table.visit("/")
	log.visit("/log.html?processname=talker")
	table.sees("#live", "Live")
	log.sees("#log", "first")
	for i := range 2 {
		if err := client.Upgrade(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "supervisord.log")); err != nil || strings.Count(string(text), "supervisord was upgraded") != i+1 {
			t.Fatalf("upgrade %d is not in the log: %v", i+1, err)
		}
		// What happens from here on is in no page that was not connected again.
		if err := client.StartProcess(t.Context(), "later", true); err != nil {
			t.Fatal(err)
		}
		table.sees(row("later"), "running")
		table.sees("#live", "Live")
		if err := client.StopProcess(t.Context(), "later", true); err != nil {
			t.Fatal(err)
		}
		table.sees(row("later"), "stopped")
		if err := client.SendProcessStdin(t.Context(), "talker", fmt.Appendf(nil, "line %d\n", i)); err != nil {
			t.Fatal(err)
		}
		log.sees("#log", fmt.Sprintf("heard line %d", i))
		// None of the lines is shown twice.
		log.until(`document.querySelectorAll("#log .line").length === ` + fmt.Sprint(i+2))
	}
}
