package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"supervisord/internal/api"
)

func TestChanges(t *testing.T) {
	active := loadGroups(t, "[program:a]\ncommand=c\nenvironment=A=hunter1,B=hunter2,C=3\n[program:b]\ncommand=c\nnumprocs=2\nprocess_name=%(process_num)d\n"+
		"[program:same]\ncommand=c\n[program:gone]\ncommand=c\n[eventlistener:l]\ncommand=c\nevents=TICK_5\n")
	loaded := loadGroups(t, "[program:a]\ncommand=d e\nenvironment=A=hunter1,B=hunter3,D=4\nstartsecs=5\nuser=root\nstdout_logfile=/tmp/x\npriority=5\n"+
		"[program:b]\ncommand=c\nnumprocs=2\nnumprocs_start=1\nprocess_name=%(process_num)d\n"+
		"[program:same]\ncommand=c\n[program:new]\ncommand=c\numask=7\nenvironment=A=hunter4\n[eventlistener:l]\ncommand=c\nevents=TICK_60\nbuffer_size=5\n")
	const want = `a: changed
    changed priority=999 -> 5
  a: changed
    changed command=c -> d e
    added user= -> 0
    changed priority=999 -> 5
    changed startsecs=1 -> 5
    changed stdout_logfile=AUTO -> /tmp/x
    changed environment B
    added environment D
    removed environment C
b: changed
  2: added
    added command= -> c
  0: removed
gone: removed
  gone: removed
l: changed
    changed events=TICK_5 -> TICK_60
    changed buffer_size=10 -> 5
new: added
  new: added
    added command= -> c
    added umask= -> 007
    added environment A
`
	if got := changesText(Changes(active, loaded)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if found := Changes(active, active); len(found) > 0 {
		t.Errorf("a configuration differs from itself:\n%s", changesText(found))
	}
}

func changesText(list []api.GroupChange) string {
	var b strings.Builder
	settings := func(list []api.SettingChange) {
		for _, s := range list {
			if s.Hidden {
				fmt.Fprintf(&b, "    %s %s%s%s\n", s.Change, s.Key, s.Old, s.New)
			} else {
				fmt.Fprintf(&b, "    %s %s=%s -> %s\n", s.Change, s.Key, s.Old, s.New)
			}
		}
	}
	for _, g := range list {
		fmt.Fprintf(&b, "%s: %s\n", g.Name, g.Change)
		settings(g.Settings)
		for _, p := range g.Processes {
			fmt.Fprintf(&b, "  %s: %s\n", p.Name, p.Change)
			settings(p.Settings)
		}
	}
	return b.String()
}

// TestEverySettingIsTold changes every field of a group and of a process, one
// after another: what makes update replace a group is told, and so is every
// field at all but for those that follow from others.
func TestEverySettingIsTold(t *testing.T) {
	derived := []string{"Process.Name", "Process.Program", "Process.Argv", "Process.CommandError", "Group.Name", "Group.Processes",
		"Group.Socket", "Process.EnvironmentSecrets", "Probe.Kind", "Probe.Address", "Probe.Code", "Probe.Argv"}
	base := func() *Group {
		return loadGroups(t, "[eventlistener:p]\ncommand=c\nevents=TICK_5\nstdout_logfile=/tmp/x\nstderr_logfile=/tmp/y\nenvironment=A=1\n")[0]
	}
	old := base()
	var visit func(name string, field func(*Group) reflect.Value)
	visit = func(name string, field func(*Group) reflect.Value) {
		if slices.Contains(derived, name) {
			return
		}
		v := field(base())
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				visit(v.Type().Name()+"."+v.Type().Field(i).Name, func(g *Group) reflect.Value { return field(g).Field(i) })
			}
			return
		}
		next := base()
		change(t, name, field(next))
		if next.replaces(old) {
			t.Errorf("%s: update does not replace a group in which it is another", name)
		}
		c := groupChange(api.ChangeChanged, old, next)
		if told := len(c.Settings) + len(c.Processes); told == 0 {
			t.Errorf("%s: the change is not told", name)
		}
		for _, p := range c.Processes {
			if len(p.Settings) == 0 {
				t.Errorf("%s: it is not told what changed", name)
			}
		}
	}
	visit("", func(g *Group) reflect.Value { return reflect.ValueOf(g).Elem() })
	visit("", func(g *Group) reflect.Value { return reflect.ValueOf(g.Processes[0]).Elem() })
}

// change gives a field another value.
func change(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		change(t, name, v.Field(0))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		if v.Type() == reflect.TypeFor[LogFileKind]() {
			v.SetInt(int64(LogNone))
			return
		}
		v.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(v.Uint() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Slice:
		element := reflect.New(v.Type().Elem()).Elem()
		change(t, name, element)
		v.Set(reflect.Append(v, element))
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem())
		v.Set(m)
	default:
		t.Fatalf("%s: no other value of a %s is known", name, v.Type())
	}
}
