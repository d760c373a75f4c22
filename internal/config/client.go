package config

import (
	"errors"
	"fmt"
	"strings"

	"supervisord/internal/python"
)

// Client holds the [supervisorctl] section after the command line was applied
// (manual: Configuration File, [supervisorctl] section settings).
type Client struct {
	// File is the configuration file, empty without one.
	File string
	// ServerURL is where the daemon listens, http://HOST:PORT or unix://PATH.
	ServerURL string
	// Username and Password are nil where they are not set.
	Username *string
	Password *string
	// Prompt is the name before the ">" of the interactive shell.
	Prompt string
	// HistoryFile keeps the lines typed into the shell; empty for none.
	HistoryFile string
}

// ClientOptions say what LoadClient is to load.
type ClientOptions struct {
	// File is the configuration file, empty to do without.
	File string
	// Overrides holds what the command line sets.
	Overrides ClientOverrides
	// Environ is the environment that the file can refer to, as "NAME=value";
	// nil for that of the program.
	Environ []string
}

// ClientOverrides holds what the command line of supervisorctl sets. A nil
// field leaves the value to the file.
type ClientOverrides struct {
	ServerURL   *string
	Username    *string
	Password    *string
	HistoryFile *string
}

// Set sets the override that has the name of an option of [supervisorctl], for
// example "serverurl", from text. The error says why the text is no value for
// the option.
func (o *ClientOverrides) Set(name, text string) error {
	switch name {
	case "serverurl":
		return override(&o.ServerURL, text, checkURL)
	case "username":
		o.Username = &text
	case "password":
		o.Password = &text
	case "history_file":
		o.HistoryFile = &text
	default:
		return fmt.Errorf("no option is named %s", name)
	}
	return nil
}

// LoadClient returns the settings of supervisorctl. Included files do not
// count. The error is an *Error.
func LoadClient(o ClientOptions) (*Client, error) {
	env := newEnviron(o.Environ)
	c := &Client{File: o.File, ServerURL: "http://localhost:9001", Prompt: "supervisor"}
	if o.File != "" {
		if err := c.read(o.File, env); err != nil {
			if located := (*Error)(nil); errors.As(err, &located) {
				return nil, located
			}
			return nil, &Error{File: o.File, Text: err.Error()}
		}
	}
	replace(&c.ServerURL, o.Overrides.ServerURL)
	if o.Overrides.Username != nil {
		c.Username = o.Overrides.Username
	}
	if o.Overrides.Password != nil {
		c.Password = o.Overrides.Password
	}
	if history := o.Overrides.HistoryFile; history != nil {
		c.HistoryFile = env.normalizePath(*history)
	}
	return c, nil
}

func (c *Client) read(file string, env *environ) error {
	const section = "supervisorctl"
	data, err := readConfig(file)
	if err != nil {
		return err
	}
	doc := newDocument()
	// The sections of programs may be thousands.
	doc.only = func(name string) bool {
		return name == section || name == defaultSection || strings.HasPrefix(name, pluginPrefix)
	}
	if _, err := doc.read(file, data); err != nil {
		return err
	}
	if !doc.has(section) {
		return errors.New(".ini file does not include supervisorctl section")
	}
	var here python.Dict
	here.Set("here", dirname(env.normalizePath(file)))
	// Paths can refer to the directory of the file, the rest only to the
	// environment.
	rest := &options{doc: doc, file: file, section: section, scope: python.Scope{env.expansions}, problems: new(problems)}
	paths := *rest
	paths.scope = python.Scope{env.expansions, &here}

	c.ServerURL = paths.text("serverurl", c.ServerURL)
	if path, ok := strings.CutPrefix(c.ServerURL, "unix://"); ok {
		c.ServerURL = "unix://" + env.normalizePath(path)
	}
	c.Prompt = rest.text("prompt", c.Prompt)
	c.Username = rest.optional("username")
	c.Password = rest.optional("password")
	if history := paths.text("history_file", ""); history != "" {
		c.HistoryFile = env.normalizePath(history)
	}
	if err := rest.problems.first(); err != nil {
		return err
	}
	return refusePlugins(doc, file, rest.scope)
}
