package scripttest

import (
	"testing"

	"supervisord/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestScripts(t *testing.T) { Run(t, "../../testdata/script") }
