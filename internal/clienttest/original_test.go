package clienttest

import (
	"testing"

	"supervisord/internal/scripttest"
	"supervisord/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// TestOriginal runs the supervisorctl of the Debian package supervisor against
// the daemon of this module.
func TestOriginal(t *testing.T) {
	testenv.NeedProgram(t, "/usr/bin/supervisorctl", "supervisor")
	scripttest.Run(t, "testdata/original")
}
