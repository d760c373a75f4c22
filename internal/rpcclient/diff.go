package rpcclient

import "context"

// GroupChange tells how a group would change if the configuration were applied.
// A Change is "added", "changed" or "removed".
type GroupChange struct {
	Name      string          `xmlrpc:"name"`
	Change    string          `xmlrpc:"change"`
	Settings  []SettingChange `xmlrpc:"settings"`
	Processes []ProcessChange `xmlrpc:"processes"`
}

// ProcessChange tells how a process would change.
type ProcessChange struct {
	Name     string          `xmlrpc:"name"`
	Change   string          `xmlrpc:"change"`
	Settings []SettingChange `xmlrpc:"settings"`
}

// SettingChange tells how a key would change. The values of one that is hidden
// are not told.
type SettingChange struct {
	Key    string `xmlrpc:"key"`
	Change string `xmlrpc:"change"`
	Old    string `xmlrpc:"old"`
	New    string `xmlrpc:"new"`
	Hidden bool   `xmlrpc:"hidden"`
}

// DiffConfig makes the daemon read its configuration and tell what is different
// from what is active. Nothing comes of it. Only this supervisord can do that.
func (c *Client) DiffConfig(ctx context.Context) ([]GroupChange, error) {
	var changes []GroupChange
	err := c.Call(ctx, "supervisord.diffConfig", &changes)
	return changes, err
}
