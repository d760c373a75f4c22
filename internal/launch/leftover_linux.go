package launch

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"supervisord/internal/api"
	"supervisord/internal/config"
)

// maxEnvironment is how much of the environment of a process is read: as much
// as a process can be given by default.
const maxEnvironment = 2 << 20

// A Leftover is a process of an earlier supervisord that goes on running.
type Leftover struct {
	PID      int
	Namespec string
}

// Leftovers looks for processes that a supervisord with this configuration
// started and did not stop, because it was killed: they have the variables of
// ChildEnv in their environment, and their parent is no supervisord. Of a
// process and its children only the first is returned. Call it before anything
// is started. Processes that hide their environment are not found.
func Leftovers(cfg *config.Config) []Leftover {
	return leftovers(cfg, commandName(os.Getpid()))
}

// leftovers takes the name that a supervisord has as a process.
func leftovers(cfg *config.Config, supervisor string) []Leftover {
	known := knownProcesses(cfg)
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	self := os.Getpid()
	found := make(map[int]string)
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == self {
			continue
		}
		if namespec := known[markOf(dir)]; namespec != "" {
			found[pid] = namespec
		}
	}
	if len(found) == 0 {
		return nil
	}
	var left []Leftover
	for _, dir := range dirs { // in a stable order
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if found[pid] == "" {
			continue
		}
		parent, zombie := parentOf(pid)
		if zombie || found[parent] != "" || parent != 1 && commandName(parent) == supervisor {
			continue
		}
		left = append(left, Leftover{PID: pid, Namespec: found[pid]})
	}
	return left
}

// A mark is what the environment says of who started a process.
type mark struct{ serverURL, group, process string }

// knownProcesses returns the names of the configured processes by what their
// environments have. Nothing else that an environment may say is believed.
func knownProcesses(cfg *config.Config) map[mark]string {
	known := make(map[mark]string)
	for _, g := range cfg.Groups {
		for _, p := range g.Processes {
			m := mark{p.ServerURL, g.Name, p.Name}
			if m.serverURL == "" {
				m.serverURL = cfg.ServerURL
			}
			known[m] = api.Namespec(g.Name, p.Name)
		}
	}
	return known
}

// markOf reads the environment of the process whose directory in /proc is dir.
func markOf(dir string) mark {
	f, err := os.Open(dir + "/environ")
	if err != nil {
		return mark{}
	}
	defer f.Close()
	environ, err := io.ReadAll(io.LimitReader(f, maxEnvironment))
	if err != nil || !bytes.Contains(environ, []byte("SUPERVISOR_ENABLED=1\x00")) {
		return mark{}
	}
	var m mark
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		name, value, _ := bytes.Cut(entry, []byte{'='})
		switch string(name) {
		case "SUPERVISOR_SERVER_URL":
			m.serverURL = string(value)
		case "SUPERVISOR_GROUP_NAME":
			m.group = string(value)
		case "SUPERVISOR_PROCESS_NAME":
			m.process = string(value)
		}
	}
	return m
}

// parentOf returns the parent of a process, and whether it has ended.
func parentOf(pid int) (parent int, zombie bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, true
	}
	// The name before the state, in parentheses, may have any characters.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 2 {
		return 0, true
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return parent, err != nil || string(fields[0]) == "Z" || string(fields[0]) == "X"
}

// commandName returns the name of a process as the kernel has it.
func commandName(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSuffix(data, []byte{'\n'}))
}
