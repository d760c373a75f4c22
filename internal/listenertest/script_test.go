package listenertest

import (
	"testing"

	"supervisord/internal/scripttest"
)

func TestListeners(t *testing.T) { scripttest.Run(t, "testdata") }
