package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

// confDir holds files that use everything a configuration can hold. Behind
// each FILE.conf, FILE.json says what it means.
const confDir = "../../testdata/conf"

var goldenEnviron = []string{"NAME=name", "PORT=9002", "HOME=/home/x"}

func TestGolden(t *testing.T) {
	files := globTest(t, filepath.Join(confDir, "*.conf"))
	here := absolutePath(confDir)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, err := Load(Options{File: file, Environ: goldenEnviron, Hostname: "host.example"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(dumpAdditions(cfg), "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			got = append(bytes.ReplaceAll(got, []byte(here), []byte("HERE")), '\n')
			got = bytes.ReplaceAll(got, []byte(dirname(here)), []byte("ABOVE"))
			golden := strings.TrimSuffix(file, ".conf") + ".json"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("differs from %s (rewrite with -update):\n%s", golden, got)
			}
		})
	}
}

// dumpAdditions returns a configuration as dumpConfig does, with what only
// this implementation knows.
func dumpAdditions(c *Config) any {
	dump := dumpConfig(c).(map[string]any)
	s := dump["supervisord"].(map[string]any)
	s["logfile_compress"], s["logfile_maxage"] = c.Supervisord.LogfileCompress, c.Supervisord.LogfileMaxAge
	s["exit_on"] = c.Supervisord.ExitOn.String()
	dumpPeriod(s, "logfile_rotate", c.Supervisord.LogfileRotate)
	if c.Supervisord.LogFormat != api.FormatText {
		s["logformat"] = c.Supervisord.LogFormat.String()
	}
	dumpFormat(s, "stdout_format", c.Supervisord.StdoutFormat)
	dumpFormat(s, "stderr_format", c.Supervisord.StderrFormat)
	for i, g := range dump["groups"].([]any) {
		for j, p := range g.(map[string]any)["processes"].([]any) {
			process, d := c.Groups[i].Processes[j], p.(map[string]any)
			d["program"], d["argv"], d["command_error"] = process.Program, process.Argv, process.CommandError
			d["exit_on"] = process.ExitOn.String()
			d["restart_delay"], d["backoff_max"] = process.RestartDelay.Seconds(), process.BackoffMax.Seconds()
			dumpEnvironment(d, process)
			d["backoff_factor"], d["backoff_jitter"] = process.BackoffFactor, process.BackoffJitter
			for name, log := range map[string]*Log{"stdout": &process.Stdout, "stderr": &process.Stderr} {
				l := d[name].(map[string]any)
				l["compress"], l["maxage"] = log.Compress, log.MaxAge
				dumpFormat(l, "format", log.Format)
				dumpPeriod(l, "rotate", log.Rotate)
			}
		}
	}
	return dump
}

// dumpEnvironment adds what an environment comes from, and the group, where it is
// configured.
func dumpEnvironment(dump map[string]any, p *Process) {
	if p.GID >= 0 {
		dump["gid"] = p.GID
	}
	if p.UserEnvironment {
		dump["user_environment"] = true
	}
	if p.EnvironmentFiles != nil {
		dump["environment_files"] = p.EnvironmentFiles
	}
	if p.EnvironmentSecrets != nil {
		dump["environment_secrets"] = p.EnvironmentSecrets
	}
	if p.ArgvSecrets != nil {
		dump["argv_secrets"] = p.ArgvSecrets
	}
}

// dumpFormat adds the format of a log, if it is not the default one.
func dumpFormat(dump map[string]any, key string, f api.LogFormat) {
	if f != api.FormatRaw {
		dump[key] = f.String()
	}
}

// dumpPeriod adds the period of a log, if it has one.
func dumpPeriod(dump map[string]any, key string, p api.Period) {
	if p != api.Never {
		dump[key] = p.String()
	}
}

// TestGoldenLikeSupervisor makes sure that the golden files do not describe
// what only this implementation does.
func TestGoldenLikeSupervisor(t *testing.T) {
	r := newReference(t)
	r.needSupervisor()
	environ := map[string]string{}
	for _, pair := range goldenEnviron {
		name, value, _ := strings.Cut(pair, "=")
		environ[name] = value
	}
	for _, file := range globTest(t, filepath.Join(confDir, "*.conf")) {
		cfg, err := Load(Options{File: file, Environ: goldenEnviron})
		want := r.ask("load", []any{map[string]any{"file": file, "environ": environ}})[0]
		if diff := compareLoad(cfg, err, want); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func globTest(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	return files
}
