package scripttest

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"supervisord/internal/rpcclient"
	"supervisord/internal/testenv"
)

// limit is how long a command waits for what it waits for. It is far more than
// anything takes, so that a busy machine fails no test.
const limit = 2 * time.Minute

var update = flag.Bool("update", false, "rewrite the files that scripts compare output with")

// socketConf is the configuration that a script gets when it has none.
const socketConf = `[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s

[unix_http_server]
file=%(here)s/s.sock

[supervisorctl]
serverurl=unix://%(here)s/s.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[include]
files=*.ini
`

// A script is what the commands of one running script share.
type script struct {
	t       testing.TB
	work    string
	id      string
	environ []string // for daemons in the background
	client  *rpcclient.Client
	daemon  *daemon // the one in the background, or nil
}

type scriptKey struct{}

// Run runs the scripts in dir as parallel subtests.
func Run(t *testing.T, dir string) {
	testenv.Programs(t)
	testscript.Run(t, testscript.Params{
		Dir:                dir,
		Setup:              setup,
		Cmds:               commands,
		Condition:          condition,
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	})
}

func setup(env *testscript.Env) error {
	s := &script{t: env.T().(testing.TB), work: env.WorkDir, id: rand.Text()}
	conf := filepath.Join(s.work, "supervisord.conf")
	if _, err := os.Stat(conf); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(conf, []byte(socketConf), 0o666); err != nil {
			return err
		}
	}
	if err := makeExecutable(s.work); err != nil {
		return err
	}
	client, err := rpcclient.New(rpcclient.Options{ServerURL: "unix://" + filepath.Join(s.work, "s.sock")})
	if err != nil {
		return err
	}
	s.client = client

	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	root, err := testenv.Root()
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"ROOT="+root,
		"ID="+s.id,
		"PORT="+ports[0],
		"PORT2="+ports[1],
		"HOME="+s.work,
		"LANG=C.UTF-8",
		"TZ=UTC",
		"TERM=dumb",
	)
	s.environ = env.Vars
	env.Values[scriptKey{}] = s
	env.Defer(s.end)
	return nil
}

// makeExecutable makes the files of a script executable that begin with #!.
func makeExecutable(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(data), "#!") {
			return err
		}
		return os.Chmod(path, 0o777)
	})
}

// freePorts returns n TCP ports that nothing on the loopback interface has.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

func condition(cond string) (bool, error) {
	switch cond {
	case "root":
		return os.Getuid() == 0, nil
	case "ref":
		return testenv.Reference(), nil
	}
	if name, ok := strings.CutPrefix(cond, "running:"); ok {
		return running(name)
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// running reports whether a process with the given name exists.
func running(name string) (bool, error) {
	files, err := filepath.Glob("/proc/[0-9]*/comm")
	for _, file := range files {
		comm, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(comm)) == name {
			return true, nil
		}
	}
	return false, err
}

// of returns the script that ts runs.
func of(ts *testscript.TestScript) *script {
	return ts.Value(scriptKey{}).(*script)
}

// until calls done, again and again, until it reports true or the limit has
// passed, and reports which of the two it was.
func until(done func() bool) bool {
	deadline := time.Now().Add(limit)
	for !done() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}
