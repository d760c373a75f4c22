package adopt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"supervisord/internal/config"
)

// Fingerprint returns a text that two configurations of a process share if one
// started from the first is as good as one started from the second: if what it
// executes, where, as whom and with which environment and pipes is the same.
// What is only about watching it, such as its priority, its log files and when
// it is restarted, does not count.
func Fingerprint(cfg *config.Config, g *config.Group, p *config.Process) string {
	socket := ""
	if g.Socket != nil {
		socket = g.Socket.URL
	}
	serverURL := p.ServerURL
	if serverURL == "" {
		serverURL = cfg.ServerURL
	}
	text, err := json.Marshal(struct {
		Kind             config.GroupKind
		Command          string
		Argv             []string
		Directory        string
		Umask, UID, GID  int
		RedirectStderr   bool
		Environment      map[string]string
		EnvironmentFiles []config.EnvironmentFile
		UserEnvironment  bool
		ServerURL        string
		Socket           string
		LenBytes         bool
	}{g.Kind, p.Command, p.Argv, p.Directory, p.Umask, p.UID, p.GID, p.RedirectStderr, p.Environment,
		p.EnvironmentFiles, p.UserEnvironment, serverURL, socket, g.LenBytes})
	if err != nil {
		panic("adopt: " + err.Error()) // plain data is always encoded
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
