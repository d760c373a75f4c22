package main

import (
	"bytes"
	goflag "flag"
	"os"
	"testing"

	"supervisord/internal/manpage"
)

// The manual page is made from the definitions of the options:
// go test -run Generated -update-manual.
var updateGenerated = goflag.Bool("update-manual", false, "write the manual page in docs anew")

func TestGeneratedManual(t *testing.T) {
	p := manpage.Page{
		Name:     "supervisord",
		Summary:  "run programs and keep them running",
		Synopsis: []string{"[OPTION]..."},
		Description: []string{
			"Supervisord starts the programs of its configuration file, restarts those that end, keeps their output in " +
				"log files and answers clients: supervisorctl, browsers and whatever speaks XML-RPC.",
			"Options come before those of the configuration file. Long options can be abbreviated as long as they stay unique.",
		},
		Sections: []manpage.Section{
			{Title: "SIGNALS", Entries: []manpage.Entry{
				{Term: "TERM, INT, QUIT", Text: "Stop every program, then end."},
				{Term: "HUP", Text: "Stop every program, read the configuration again and start anew."},
				{Term: "USR1", Text: "Have the version on disk take over, keeping all programs."},
				{Term: "USR2", Text: "Open all log files anew."},
			}},
			{Title: "EXIT STATUS", Entries: []manpage.Entry{
				{Term: "0", Text: "It was told to end."},
				{Term: "2", Text: "The command line, the configuration file or the environment is bad."},
				{Term: "other", Text: "That of a program whose exit_on ended supervisord: its own, 128 and the number of the " +
					"signal that ended it, or 127 if it could not be started."},
			}},
			{Title: "FILES", Paragraphs: []string{
				"Without -c the configuration is the first of ../etc/supervisord.conf and ../supervisord.conf beside the " +
					"program, supervisord.conf and etc/supervisord.conf in the current directory, /etc/supervisord.conf and " +
					"/etc/supervisor/supervisord.conf. The program echo_supervisord_conf prints one to begin with."}},
		},
		SeeAlso: []string{"supervisorctl", "pidproxy", "echo_supervisord_conf"},
	}
	for _, f := range flagTable {
		term := "--" + f.Long
		if f.Short != "" {
			term = "-" + f.Short[:1] + ", " + term
		}
		if f.value != "" {
			term += " " + f.value
		}
		p.Options = append(p.Options, manpage.Entry{Term: term, Text: f.help})
	}
	const path = "../../docs/man/supervisord.1"
	if *updateGenerated {
		if err := os.WriteFile(path, p.Render(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, p.Render()) {
		t.Errorf("%s is not up to date: run go test -run Generated -update-manual", path)
	}
}
