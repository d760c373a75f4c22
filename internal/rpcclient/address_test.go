package rpcclient

import (
	"net"
	"testing"
)

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"unix:///a/b", "unix://", "http://h", "http://h:1", "http://[::1]:9001", "http://u:p@h/x?y#z", "https://h", "http://:1", "http://[", "http://h:x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, serverURL string) {
		network, address, err := Address(serverURL)
		switch {
		case err != nil:
		case network == "unix" && address != "":
		case network == "tcp":
			if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
				t.Fatalf("%q: address %q, %v", serverURL, address, err)
			}
		default:
			t.Fatalf("%q: network %q, address %q", serverURL, network, address)
		}
	})
}
