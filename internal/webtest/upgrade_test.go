package webtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/rpcclient"
)

// TestUpgrade upgrades the daemon while its pages are looked at: they connect
// again by themselves and show what has changed since, and a log goes on.
func TestUpgrade(t *testing.T) {
	dir, url := realDaemon(t, `[program:talker]
command=/bin/sh -c 'echo first; while read line; do echo "heard $line"; done'
startsecs=0
stdout_logfile=%(here)s/talker.log
[program:later]
command=/bin/cat
startsecs=0
autostart=false
`)
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
