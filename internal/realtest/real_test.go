package realtest

import (
	"testing"

	"supervisord/internal/scripttest"
	"supervisord/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m, testprog, "./docs/examples/listener") }

func TestPrograms(t *testing.T) { scripttest.Run(t, "testdata") }
