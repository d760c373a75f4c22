// Package ctl is the client that people type at: the actions of supervisorctl,
// their wording and exit statuses, and its interactive shell.
//
// A Controller carries out one line at a time, the same whether the line came
// from the command line or was typed in the shell. It belongs to one
// goroutine. Everything an action has to say goes to the Controller's output in
// Supervisor's words; what an action cannot handle itself comes back as an
// error and is worded in one place, as the exception that Supervisor's client
// would print.
//
// Text from the daemon and from programs is not trusted: on a terminal, control
// sequences in it are shown instead of being obeyed.
package ctl

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"

	"supervisord/internal/api"
	"supervisord/internal/python"
	"supervisord/internal/rpcclient"
)

// Settings are what a Controller is told by the command line and the
// configuration (manual: Running Supervisor, supervisorctl command-line
// options; Configuration File, [supervisorctl] section settings).
type Settings struct {
	// ServerURL is "http://host:port" or "unix:///path/of/socket".
	ServerURL string
	// Username and Password are nil where not set; both are needed.
	Username, Password *string
	// Prompt is what the shell's prompt shows before "> ".
	Prompt string
	// HistoryFile keeps the lines typed in the shell; empty for none.
	HistoryFile string
	// Interactive makes actions ask before they do something grave, and ask for
	// a password.
	Interactive bool
	// ConfigFile is the configuration file that was read, or empty. It is only
	// named in advice.
	ConfigFile string
	// Pidfile returns the daemon's pidfile as far as it is known, or "". It is
	// only called when the daemon cannot be reached.
	Pidfile func() string
}

// Controller carries out the actions of supervisorctl.
type Controller struct {
	set    Settings
	exit   ExitStatus
	client *rpcclient.Client

	in     *input
	out    *bufio.Writer
	outErr error // of writing the output
	stderr *os.File
	// outTTY and errTTY are whether output goes to a terminal; colour is
	// whether states are coloured.
	outTTY, errTTY, colour bool
	// lines reads lines for the shell and for questions. It is made when it is
	// first needed.
	lines lineReader
	// json is whether the current action prints JSON.
	json bool
	// complete holds what completion asked the daemon, until the next action.
	complete *completions
}

// New returns a Controller that uses the given files as its standard streams.
func New(s Settings, stdin, stdout, stderr *os.File) *Controller {
	term := os.Getenv("TERM")
	outTTY := isTerminal(int(stdout.Fd()))
	return &Controller{
		set:    s,
		in:     newInput(int(stdin.Fd())),
		out:    bufio.NewWriter(stdout),
		stderr: stderr,
		outTTY: outTTY,
		errTTY: isTerminal(int(stderr.Fd())),
		colour: outTTY && os.Getenv("NO_COLOR") == "" && term != "" && term != "dumb",
	}
}

// ExitStatus returns the status with which a one-shot command ends.
func (c *Controller) ExitStatus() ExitStatus { return c.exit }

// errQuit is what the actions that end the shell return.
var errQuit = errors.New("quit")

// Do carries out one line. It returns true if the shell is to end. The error
// is that of ctx: a line that was interrupted.
func (c *Controller) Do(ctx context.Context, line string) (quit bool, err error) {
	defer c.flush()
	for {
		err := c.do(ctx, line)
		switch status, _ := errors.AsType[*rpcclient.StatusError](err); {
		case err == nil:
			return false, nil
		case errors.Is(err, errQuit):
			return true, nil
		case ctx.Err() != nil:
			return true, ctx.Err()
		case errors.Is(err, errInterrupted):
			return true, err
		case status != nil && status.Code == http.StatusUnauthorized:
			c.complain("Server requires authentication")
			if !c.set.Interactive {
				c.fail(Generic)
				return false, nil
			}
			if err = c.askPassword(ctx); err == nil {
				continue
			}
			if ctx.Err() != nil || errors.Is(err, errInterrupted) {
				return true, err
			}
		}
		c.outputException(err)
		c.fail(Generic)
		c.advise(err)
		return false, nil
	}
}

// do finds the action of a line and calls it.
func (c *Controller) do(ctx context.Context, line string) error {
	name, arg, line := splitLine(line)
	if line == "" {
		return nil
	}
	c.complete, c.json = nil, false
	a := findAction(name)
	if a == nil {
		c.output("*** Unknown syntax: " + line)
		c.fail(Generic)
		return nil
	}
	defer c.disconnect()
	return a.run(c, ctx, arg)
}

// splitLine splits a line into the name of an action and its argument. The
// name ends at the first character that no name has, so that "tail-f x" is
// "tail" with "-f x". The line is returned as it is to be quoted.
func splitLine(line string) (name, arg, whole string) {
	line = strings.TrimFunc(line, isSpace)
	switch {
	case strings.HasPrefix(line, "?"):
		line = "help " + line[1:]
	case strings.HasPrefix(line, "!"):
		return "", "", line
	}
	end := strings.IndexFunc(line, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end < 0 {
		end = len(line)
	}
	return line[:end], strings.TrimFunc(line[end:], isSpace), line
}

// fields splits an argument at its blanks.
func fields(arg string) []string { return strings.FieldsFunc(arg, isSpace) }

// rpc returns the client for the daemon. Output so far is written first,
// because a call may take long.
func (c *Controller) rpc() (*rpcclient.Client, error) {
	c.flush()
	if c.client != nil {
		return c.client, nil
	}
	o := rpcclient.Options{ServerURL: c.set.ServerURL}
	if c.set.Username != nil && c.set.Password != nil {
		o.Auth, o.Username, o.Password = true, *c.set.Username, *c.set.Password
	}
	client, err := rpcclient.New(o)
	if errors.Is(err, rpcclient.ErrScheme) {
		return nil, raise("ValueError", "Unknown protocol for serverurl "+c.set.ServerURL)
	}
	if text := portProblem(c.set.ServerURL); text != "" {
		return nil, raise("ValueError", text)
	}
	if err != nil {
		return nil, err
	}
	c.client = client
	return client, nil
}

// portProblem says what is wrong with the port of an HTTP URL, "" if nothing.
func portProblem(serverURL string) string {
	rest, ok := strings.CutPrefix(serverURL, "http://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	host = host[strings.LastIndexAny(host, "@]")+1:]
	_, port, _ := strings.Cut(host, ":")
	if strings.Trim(port, "0123456789") != "" {
		return "Port could not be cast to integer value as " + python.Repr(port)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil && port != "" {
		return "Port out of range 0-65535"
	}
	return ""
}

// disconnect closes the connection. Each action has its own, so that none
// meets one that a daemon has left behind.
func (c *Controller) disconnect() {
	if c.client != nil {
		c.client.Close()
		c.client = nil
	}
}

// upcheck asks the daemon whether it is there and speaks the same language. It
// reports false after it has said why not.
func (c *Controller) upcheck(ctx context.Context) (bool, error) {
	client, err := c.rpc()
	if err != nil {
		return false, err
	}
	var version string
	err = client.Call(ctx, "supervisor.getVersion", &version)
	return c.judgeVersion(version, err)
}

// apiVersion is the version of the RPC interface that the actions need.
const apiVersion = "3.0"

// judgeVersion is what upcheck makes of the daemon's answer.
func (c *Controller) judgeVersion(version string, err error) (bool, error) {
	fault, _ := errors.AsType[*api.Fault](err)
	switch {
	case err == nil && version == apiVersion:
		return true, nil
	case err == nil:
		c.complain("Sorry, this version of supervisorctl expects to talk to a server with API version " +
			apiVersion + ", but the remote version is " + version + ".")
		c.fail(NotInstalled)
	case fault != nil && fault.Code == api.UnknownMethod:
		c.complain("Sorry, supervisord responded but did not recognize the supervisor namespace commands that " +
			"supervisorctl uses to control it.  Please check that the [rpcinterface:supervisor] section is " +
			"enabled in the configuration file (see sample.conf).")
		c.fail(Unimplemented)
	case errors.Is(err, syscall.ECONNREFUSED):
		c.complain(c.set.ServerURL + " refused connection")
		c.fail(InsufficientPrivileges)
		c.advise(err)
	case errors.Is(err, syscall.ENOENT):
		c.complain(c.set.ServerURL + " no such file")
		c.fail(NotRunning)
		c.advise(err)
	default:
		c.fail(Generic)
		return false, err
	}
	return false, nil
}
