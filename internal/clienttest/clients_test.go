//go:build clients

package clienttest

import (
	"os"
	"os/exec"
	"testing"

	"supervisord/internal/scripttest"
)

// TestClients runs clients of other languages and tools. What each needs is
// found out by trying it.
func TestClients(t *testing.T) {
	clients := []struct {
		name     string
		packages string // of Debian
		try      []string
	}{
		{"ansible", "ansible supervisor", []string{"ansible-doc", "-t", "module", "community.general.supervisorctl"}},
		{"perl", "librpc-xml-perl", []string{"perl", "-MRPC::XML::Client", "-e", "1"}},
		{"php", "php-cli php-xmlrpc", []string{"php", "-r", "exit(function_exists('xmlrpc_decode') ? 0 : 1);"}},
		{"ruby", "ruby ruby-xmlrpc", []string{"ruby", "-rxmlrpc/client", "-e", "1"}},
	}
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			if out, err := exec.Command(c.try[0], c.try[1:]...).CombinedOutput(); err != nil {
				message := "install the Debian packages " + c.packages + ": " + err.Error() + "\n" + string(out)
				if os.Getenv("CI") == "true" {
					t.Fatal(message)
				}
				t.Skip(message)
			}
			scripttest.Run(t, "testdata/"+c.name)
		})
	}
}
