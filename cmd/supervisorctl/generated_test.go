package main

import (
	"bytes"
	goflag "flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"supervisord/internal/ctl"
	"supervisord/internal/manpage"
)

// The completion of shells and the manual page are made from the definitions
// of the options and the actions: go test -run Generated -update.
var updateGenerated = goflag.Bool("update", false, "write the generated files in docs anew")

// checkGenerated compares a file in docs with what it should be.
func checkGenerated(t *testing.T, path string, want []byte) {
	t.Helper()
	path = filepath.Join("../../docs", path)
	if *updateGenerated {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not up to date: run go test -run Generated -update", path)
	}
}

func TestGeneratedCompletion(t *testing.T) {
	root := (&program{argv0: "supervisorctl"}).command()
	var bash, zsh, fish bytes.Buffer
	if err := root.GenBashCompletionV2(&bash, true); err != nil {
		t.Fatal(err)
	}
	if err := root.GenZshCompletion(&zsh); err != nil {
		t.Fatal(err)
	}
	if err := root.GenFishCompletion(&fish, true); err != nil {
		t.Fatal(err)
	}
	checkGenerated(t, "completion/supervisorctl.bash", bash.Bytes())
	checkGenerated(t, "completion/_supervisorctl", zsh.Bytes())
	checkGenerated(t, "completion/supervisorctl.fish", fish.Bytes())
}

// TestBashCompletion runs the script in a bash that is not interactive.
func TestBashCompletion(t *testing.T) {
	d := startDaemon(t, "supervisord")
	const script = `
source ../../docs/completion/supervisorctl.bash
# The function of the package bash-completion that the script uses.
_get_comp_words_by_ref() {
	words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD
	cur=${words[cword]}; prev=${words[cword-1]}
}
compopt() { :; } # only works while a person completes
complete_words() {
	COMP_WORDS=(supervisorctl -c "$CONFIG" "$@")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
	COMPREPLY=()
	__start_supervisorctl
	echo "$*: $(printf '%s\n' "${COMPREPLY[@]}" | sed 's/ *(.*//' | tr '\n' ' ')"
}
complete_words rest
complete_words restart ca
complete_words stop n:
complete_words update ''
`
	cmd := exec.Command("bash", "--norc", "-c", script)
	cmd.Env = append(os.Environ(), "CONFIG="+d.config)
	out, err := cmd.CombinedOutput()
	// Bash takes a colon for the end of a word, so the group is not repeated.
	const want = "rest: restart \nrestart ca: cat \nstop n:: n-0 * n-1 n-2 \nupdate : cat n \n"
	if err != nil || string(out) != want {
		t.Errorf("completion gives %v\n%s\nwant\n%s", err, out, want)
	}
}

func TestGeneratedManual(t *testing.T) {
	p := manpage.Page{
		Name:     "supervisorctl",
		Summary:  "control the programs that supervisord runs",
		Synopsis: []string{"[options] [action [arguments]]"},
		Description: []string{
			"Supervisorctl asks a running supervisord to carry out an action and shows what became of it. Without an " +
				"action it is a shell that reads actions line by line, with completion and a history on a terminal.",
			"Programs are named as status shows them: a program alone, or group:program. Many actions also take " +
				"group:* for every program of a group, and all.",
		},
		Sections: []manpage.Section{
			{Title: "ACTIONS", Paragraphs: []string{"A word in angle brackets stands for a name."}},
			{Title: "ADDITIONS", Paragraphs: []string{
				"status, avail and version print JSON if one of their arguments is --json; its form is described in " +
					"docs/supervisorctl.md. On a terminal status colours states unless NO_COLOR is set or TERM is dumb. If the daemon " +
					"cannot be reached, a second line on standard error says where it was looked for, on a terminal only."}},
			{Title: "EXIT STATUS", Entries: []manpage.Entry{
				{Term: "0", Text: "The action was carried out, or a shell has ended."},
				{Term: "1", Text: "It failed, or the daemon wants a password."},
				{Term: "2", Text: "The command line or the configuration file is bad, or start was told of no program or of a group that does not exist."},
				{Term: "3", Text: "status: a program that was asked for does not run. Others: the daemon does not have the supervisor namespace."},
				{Term: "4", Text: "status: there is no such program, or no daemon. Others: the connection was refused."},
				{Term: "5", Text: "The daemon speaks another version of the interface."},
				{Term: "7", Text: "There is no socket of a daemon, or a program did not start or does not run."},
			}},
			{Title: "FILES", Paragraphs: []string{
				"Without -c the configuration is the first of ../etc/supervisord.conf and ../supervisord.conf beside the " +
					"program, supervisord.conf and etc/supervisord.conf in the current directory, /etc/supervisord.conf and " +
					"/etc/supervisor/supervisord.conf. Its section [supervisorctl] says where the daemon listens and who " +
					"logs in. Without any of them the daemon is looked for at http://localhost:9001."}},
		},
		SeeAlso: []string{"supervisord", "pidproxy", "echo_supervisord_conf"},
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
	for _, a := range ctl.Actions() {
		usage := strings.TrimRight(a.Usage(), "\n")
		usage = strings.ReplaceAll(strings.ReplaceAll(usage, "\t\t", "\t"), "\t\t", "\t")
		p.Sections[0].Entries = append(p.Sections[0].Entries, manpage.Entry{Term: a.Name,
			Text: a.Short + ".\n" + usage, Preformatted: true})
	}
	checkGenerated(t, "man/supervisorctl.1", p.Render())
}
