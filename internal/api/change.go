package api

// The kinds of changes that a new configuration makes to a group or a process.
const (
	ChangeAdded   = "added"
	ChangeChanged = "changed"
	ChangeRemoved = "removed"
)

// GroupChange tells how a configuration that is not in use differs from what is
// active, in one group.
type GroupChange struct {
	Name   string
	Change string // ChangeAdded, ChangeChanged or ChangeRemoved
	// Settings are those of the group itself.
	Settings  []SettingChange
	Processes []ProcessChange
}

// ProcessChange tells how one process differs. For one that is added the
// settings are those that are not the default.
type ProcessChange struct {
	Name     string
	Change   string
	Settings []SettingChange
}

// SettingChange tells how a key differs. The values are written as a
// configuration file could have them; what is not set is empty.
type SettingChange struct {
	Key      string
	Change   string
	Old, New string
	// Hidden tells that the values are not told, as they may be secret.
	Hidden bool
}
