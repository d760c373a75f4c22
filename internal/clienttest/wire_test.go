package clienttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"supervisord/internal/testenv"
)

// wireConf is the configuration of both daemons. Nothing in it runs by itself,
// so that the answers of both are the same.
const wireConf = `[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
[unix_http_server]
file=%(here)s/s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:x]
command=/bin/cat <&>
autostart=false
autorestart=unexpected
stdout_logfile=%(here)s/x.out
stderr_logfile=NONE
[program:gone]
command=/no/such/thing
autostart=false
stdout_logfile=%(here)s/gone.out
redirect_stderr=true
exitcodes=0,2
stopsignal=USR1
[group:g]
programs=gone
`

// wireLog is the log of x at the start.
const wireLog = "first <line> & ]]>\nsécond \u20ac\r\nlast\n"

// A wireDaemon is a daemon in a directory of its own.
type wireDaemon struct {
	dir    string
	client *http.Client
}

func startWireDaemon(t *testing.T, program string) *wireDaemon {
	t.Helper()
	d := &wireDaemon{dir: t.TempDir()}
	for name, text := range map[string]string{"supervisord.conf": wireConf, "x.out": wireLog} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(d.dir, "s"))
	}}}
	t.Cleanup(d.client.CloseIdleConnections)
	cmd := exec.Command(program, "-n", "-c", filepath.Join(d.dir, "supervisord.conf"))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Errorf("%s: %v\n%s", program, err, output.Bytes())
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := d.call("supervisor.getState"); err == nil {
			return d
		} else if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", program, err)
		}
	}
}

// call makes a call with parameters that are given as values of XML-RPC, and
// returns the answer as it was sent.
func (d *wireDaemon) call(method string, params ...string) (string, error) {
	body := "<?xml version='1.0'?><methodCall><methodName>" + method + "</methodName><params>"
	for _, p := range params {
		body += "<param><value>" + p + "</value></param>"
	}
	r, err := d.client.Post("http://localhost/RPC2", "text/xml", strings.NewReader(body+"</params></methodCall>"))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%d %s\n%s", r.StatusCode, r.Header.Get("Content-Type"), answer)
	// What differs between any two daemons: their directory and the time.
	text = strings.ReplaceAll(text, d.dir, "DIR")
	return now.ReplaceAllString(text, "${1}NOW${2}"), nil
}

var now = regexp.MustCompile(`(<name>(?:now|start|stop)</name>\n<value><int>)[1-9][0-9]*(</int>)`)

// addedMethod matches what system.listMethods says of a method that the original
// does not have.
var addedMethod = regexp.MustCompile(`<value><string>supervisord\.\w+</string></value>\n`)

// TestWire compares the answers of the original and of this module byte by
// byte.
func TestWire(t *testing.T) {
	testenv.NeedProgram(t, "/usr/bin/supervisord", "supervisor")
	original := startWireDaemon(t, "/usr/bin/supervisord")
	ours := startWireDaemon(t, "supervisord")
	const offset, all = "<int>0</int>", "<int>0</int>"
	calls := [][]string{
		{"supervisor.getAPIVersion"}, {"supervisor.getVersion"}, {"supervisor.getIdentification"}, {"supervisor.getState"},
		{"supervisor.getProcessInfo", "x"}, {"supervisor.getProcessInfo", "g:gone"}, {"supervisor.getAllProcessInfo"},
		{"supervisor.getProcessInfo", "<string>&lt;n\u00f6&gt; &amp;</string>"}, {"supervisor.getProcessInfo", ""}, {"supervisor.getProcessInfo", "g:*"},
		{"supervisor.getProcessInfo"}, {"supervisor.getState", "x"}, {"supervisor.nope"}, {"getState"}, {"a.b.c"}, {"supervisor._update", "x"},
		{"supervisor.reloadConfig"}, {"supervisor.addProcessGroup", "g"}, {"supervisor.addProcessGroup", "h"}, {"supervisor.removeProcessGroup", "<int>7</int>"},
		{"supervisor.startProcess", "g:gone"}, {"supervisor.startProcessGroup", "g", "<boolean>1</boolean>"}, {"supervisor.startProcess", "g:*", "<nil/>"},
		{"supervisor.stopProcess", "g:gone"}, {"supervisor.stopProcess", "h:*"}, {"supervisor.stopProcess", "x"}, {"supervisor.stopAllProcesses"},
		{"supervisor.signalProcess", "x", "HUP"}, {"supervisor.signalProcess", "x", "<int>99</int>"}, {"supervisor.signalProcess", "x", "BOGUS"},
		{"supervisor.signalProcess", "h:*", "HUP"}, {"supervisor.signalAllProcesses", "BOGUS"}, {"supervisor.sendProcessStdin", "x", "a"},
		{"supervisor.sendProcessStdin", "x", "<double>1.50</double>"}, {"supervisor.sendRemoteCommEvent", "a", "b"},
		{"supervisor.readProcessLog", "x", offset, all}, {"supervisor.readProcessLog", "x", "<i4>-5</i4>", all}, {"supervisor.readProcessLog", "x", " 6 ", "<double>6.9</double>"},
		{"supervisor.readProcessLog", "x", "<int>-5</int>", "<int>5</int>"}, {"supervisor.readProcessLog", "x", offset, "<nil/>"},
		{"supervisor.readProcessStderrLog", "x", offset, all}, {"supervisor.readProcessStdoutLog", "g:gone", offset, all},
		{"supervisor.tailProcessLog", "x", offset, "<int>100</int>"}, {"supervisor.tailProcessLog", "x", offset, "<int>10</int>"},
		{"supervisor.tailProcessStderrLog", "x", offset, "<int>10</int>"}, {"supervisor.clearProcessLogs", "x"}, {"supervisor.clearProcessLog", "g:*"},
		{"supervisor.clearAllProcessLogs"}, {"supervisor.clearLog"}, {"supervisor.clearLog", "x"},
		{"system.listMethods"}, {"system.methodSignature", "supervisor.tailProcessLog"}, {"system.methodSignature", "nope"}, {"system.methodHelp", "nope"},
		{"system.multicall", "<array><data><value><struct><member><name>methodName</name><value>supervisor.getState</value></member></struct></value>" +
			"<value><struct><member><name>methodName</name><value>system.multicall</value></member></struct></value><value><struct/></value></data></array>"},
		{"supervisor.getProcessInfo", "<int>x</int>"}, {"supervisor.getProcessInfo", "<array></array>"}, {""},
	}
	for _, c := range calls {
		want, err := original.call(c[0], c[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ours.call(c[0], c[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		if got = addedMethod.ReplaceAllString(got, ""); got != want {
			t.Errorf("%q:\ngot  %q\nwant %q", c, got, want)
		}
	}
}
