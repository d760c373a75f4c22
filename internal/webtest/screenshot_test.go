package webtest

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"supervisord/internal/api"
)

var screenshots = flag.String("screenshots", "", "write screenshots of the pages into this directory")

// TestScreenshots writes the pictures of the documentation. They are for people
// to look at and are compared with nothing.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no directory for screenshots is given: -screenshots=DIR")
	}
	sup := site(t)
	for name, work := range map[string]int{"nginx": 900, "redis": 200, "api:api-1": 6000, "api:api-2": 4200, "cron": 1, "metrics": 500,
		"worker:worker-00": 20000, "worker:worker-01": 9000, "worker:worker-02": 300, "worker:worker-03": 14000} {
		pid := load(t, work)
		sup.Set(name, func(p *api.ProcessInfo) { p.PID = pid })
	}
	write(t, sup, "nginx", "stdout", exampleLog(400))
	tb := open(t, sup, "/")
	tb.sees("#live", "Live")
	tb.sees("#cards", "ConnectionRefusedError")
	tb.until(`document.querySelector(".spark path").getAttribute("d")?.split("L").length > 24`)

	tb.shoot("status-light.png")
	tb.dark(true)
	tb.shoot("status-dark.png")
	tb.run(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile))
	tb.dark(false)
	tb.shoot("status-phone.png")

	tb.visit("/log.html?processname=nginx")
	tb.sees("#log", "request 400 ")
	tb.run(chromedp.EmulateViewport(1280, 800))
	tb.shoot("log-light.png")
	tb.dark(true)
	tb.shoot("log-dark.png")
}

// load starts a process, in a group of its own, that works and pauses in turns.
func load(t *testing.T, work int) (pid int) {
	t.Helper()
	script := fmt.Sprintf("while :; do i=0; n=$((%d + $(date +%%N | tail -c 4 | sed 's/^0*//;s/^$/0/') * %d / 500)); "+
		"while [ $i -lt $n ]; do i=$((i+1)); done; sleep 0.4; done", work, work)
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// shoot writes a picture of what is seen.
func (tb *tab) shoot(name string) {
	tb.t.Helper()
	picture, err := chromedp.Run(tb.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tb.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), picture, 0o644); err != nil {
		tb.t.Fatal(err)
	}
}

// exampleLog returns lines as a web server writes them.
func exampleLog(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		colour, level := "32", "info "
		switch {
		case i%17 == 0:
			colour, level = "31", "error"
		case i%7 == 0:
			colour, level = "33", "warn "
		}
		fmt.Fprintf(&b, "2026-11-22 14:%02d:%02d.%03d \x1b[%sm%s\x1b[0m request %d \x1b[36mGET\x1b[0m /orders/%d answered in %d ms\n",
			i/60%60, i%60, i*37%1000, colour, level, i, i*7919%10007, i*31%211)
	}
	return b.String()
}
