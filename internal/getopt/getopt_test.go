package getopt

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var testOptions = []Option{
	{Short: "h?", Long: "help"},
	{Short: "c", Long: "configuration", Argument: true},
	{Short: "n", Long: "nodaemon"},
	{Short: "k", Long: "nocleanup"},
	{Short: "l", Long: "logfile", Argument: true},
	{Short: "y", Long: "logfile_maxbytes", Argument: true},
	{Short: "z", Long: "logfile_backups", Argument: true},
	{Short: "é", Long: "accent"},
	{Long: "minprocs", Argument: true},
	{Long: "build-info", Exact: true},
	{Long: "configtest", Exact: true},
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ args, want, rest string }{
		{"", "", ""},
		{"-n", "-n=", ""},
		{"-nc FILE", "-n= -c=FILE", ""},
		{"-cFILE -n", "-c=FILE -n=", ""},
		{"-c=FILE", "-c==FILE", ""},
		{"-? -h", "-?= -h=", ""},
		{"-né", "-n= -é=", ""},
		{"--nodaemon", "--nodaemon=", ""},
		{"--conf=x --conf y", "--configuration=x --configuration=y", ""},
		{"--configuration==x", "--configuration==x", ""},
		{"--configuration=", "--configuration=", ""},
		{"--logfile x --logfile_b 3", "--logfile=x --logfile_backups=3", ""},
		{"--m 7", "--minprocs=7", ""},
		{"--build-info --configtest", "--build-info= --configtest=", ""},
		{"-n foo -k", "-n=", "foo -k"},
		{"-n - -k", "-n=", "- -k"},
		{"-n -- -k", "-n=", "-k"},
		{"-c -n", "-c=-n", ""},
	} {
		matches, rest, err := Parse(strings.Fields(c.args), testOptions)
		if err != nil {
			t.Errorf("Parse(%s): %v", c.args, err)
			continue
		}
		var got []string
		for _, m := range matches {
			got = append(got, m.Name+"="+m.Value)
		}
		if strings.Join(got, " ") != c.want || strings.Join(rest, " ") != c.rest {
			t.Errorf("Parse(%s) = %q, %q, want %s, %s", c.args, got, rest, c.want, c.rest)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--bogus", "option --bogus not recognized"},
		{"-x", "option -x not recognized"},
		{"-nx", "option -x not recognized"},
		{"-:", "option -: not recognized"},
		{"--l=x", "option --l not a unique prefix"},
		{"--logfile_=x", "option --logfile_ not a unique prefix"},
		{"--=x", "option -- not a unique prefix"},
		{"--configuration", "option --configuration requires argument"},
		{"--conf", "option --configuration requires argument"},
		{"-c", "option -c requires argument"},
		{"-nc", "option -c requires argument"},
		{"--nod=1", "option --nodaemon must not have an argument"},
		{"--nodaemon=", "option --nodaemon must not have an argument"},
		{"--build", "option --build not recognized"},
		{"-n --", ""},
	} {
		_, _, err := Parse(strings.Fields(c.args), testOptions)
		if c.want == "" && err == nil {
			continue
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("Parse(%s): error %v, want %s", c.args, err, c.want)
		}
	}
}

func TestCanonical(t *testing.T) {
	matches, _, err := Parse([]string{"-?nc", "=a b", "--min", ""}, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--help", "--nodaemon", "--configuration==a b", "--minprocs="}
	if got := Canonical(matches); !slices.Equal(got, want) {
		t.Errorf("Canonical = %q, want %q", got, want)
	}
}

func TestErrors(t *testing.T) {
	m := Match{Name: "-e", Value: "it's"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{m.InvalidValue(errors.New("bad logging level name 'x'")), `invalid value for -e "it's": bad logging level name 'x'`},
		{m.Conflict(), "conflicting command line option '-e'"},
		{Positional([]string{"foo", "b'r"}), `positional arguments are not supported: ['foo', "b'r"]`},
	} {
		if c.err.Error() != c.want {
			t.Errorf("got %s, want %s", c.err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"-nc\nFILE", "--conf=x\n--\n-z", "--l", "-?é", "--nodaemon=1", "-c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\n")
		matches, rest, err := Parse(args, testOptions)
		if err != nil {
			return
		}
		// The canonical command line means the same.
		again, none, err := Parse(append(Canonical(matches), "--"), testOptions)
		if err != nil || len(none) > 0 || len(again) != len(matches) {
			t.Fatalf("Parse(%q) = %v, canonical form gives %v, %q, %v", args, matches, again, none, err)
		}
		for i := range matches {
			if again[i].Option != matches[i].Option || again[i].Value != matches[i].Value {
				t.Errorf("Parse(%q)[%d] = %v, canonical form gives %v", args, i, matches[i], again[i])
			}
		}
		if len(rest) > len(args) {
			t.Errorf("Parse(%q) leaves %q", args, rest)
		}
	})
}
