package main

import (
	"bufio"
	"os"
	"strings"

	"supervisord/internal/ctl"
)

func join(w []string) string { return strings.Join(w, " ") }

// placeholder parses options until the shared parser is there.
func placeholder(args []string) (ctl.Settings, []string, error) {
	s := ctl.Settings{ServerURL: "http://localhost:9001", Prompt: "supervisor"}
	conf := "/etc/supervisor/supervisord.conf"
	var url string
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-c":
			conf = args[1]
		case "-s":
			url = args[1]
		case "-u":
			s.Username = &args[1]
		case "-p":
			s.Password = &args[1]
		case "-i":
			s.Interactive = true
			args = args[1:]
			continue
		}
		args = args[2:]
	}
	s.ConfigFile = conf
	f, err := os.Open(conf)
	if err != nil {
		return s, nil, err
	}
	defer f.Close()
	in := false
	for sc := bufio.NewScanner(f); sc.Scan(); {
		l := strings.TrimSpace(sc.Text())
		if strings.HasPrefix(l, "[") {
			in = l == "[supervisorctl]"
		}
		k, v, ok := strings.Cut(l, "=")
		if !in || !ok {
			continue
		}
		switch k {
		case "serverurl":
			s.ServerURL = v
		case "prompt":
			s.Prompt = v
		case "username":
			s.Username = &v
		case "password":
			s.Password = &v
		case "history_file":
			s.HistoryFile = v
		}
	}
	if url != "" {
		s.ServerURL = url
	}
	if len(args) == 0 {
		s.Interactive = true
	}
	return s, args, nil
}
