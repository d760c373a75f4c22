package rpc

import (
	"context"

	"supervisord/internal/api"
)

// diffMethods tell what a configuration would change.
var diffMethods = []Method{{
	Name: "supervisord.diffConfig",
	About: "Read the configuration files and tell, key by key, what reloadConfig and the methods\n" +
		"that apply a configuration would change. Nothing comes of it: what was read is forgotten.",
	Returns: Value{"array", "one struct for each group that differs, with the members string name, string change (added, changed" +
		" or removed), array settings and array processes. A process is a struct with the members string name, string change and" +
		" array settings. A setting is a struct with the members string key, string change, string old, string new and boolean" +
		" hidden, which tells that the values are empty because they may be secret"},
	Faults: []api.FaultCode{api.CantReread},
	call: func(ctx context.Context, t *Table, _ arguments) (Result, error) {
		changes, err := t.sup.DiffConfig(ctx)
		return changesResult(changes), err
	},
}}

// changesResult is what diffConfig returns.
type changesResult []api.GroupChange

func (v changesResult) Encode(e Encoder) {
	e.BeginArray()
	for i := range v {
		g := &v[i]
		e.BeginStruct()
		stringMember(e, "name", g.Name)
		stringMember(e, "change", g.Change)
		encodeSettings(e, g.Settings)
		e.Member("processes")
		e.BeginArray()
		for j := range g.Processes {
			p := &g.Processes[j]
			e.BeginStruct()
			stringMember(e, "name", p.Name)
			stringMember(e, "change", p.Change)
			encodeSettings(e, p.Settings)
			e.EndStruct()
		}
		e.EndArray()
		e.EndStruct()
	}
	e.EndArray()
}

func encodeSettings(e Encoder, settings []api.SettingChange) {
	e.Member("settings")
	e.BeginArray()
	for i := range settings {
		s := &settings[i]
		e.BeginStruct()
		stringMember(e, "key", s.Key)
		stringMember(e, "change", s.Change)
		stringMember(e, "old", s.Old)
		stringMember(e, "new", s.New)
		boolMember(e, "hidden", s.Hidden)
		e.EndStruct()
	}
	e.EndArray()
}
