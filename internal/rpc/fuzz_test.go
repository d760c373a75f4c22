package rpc

import (
	"testing"

	"supervisord/internal/xmlrpc"
)

// FuzzCall: whatever a client sends, a call ends in a result that can be
// written, or in a fault.
func FuzzCall(f *testing.F) {
	table := NewTable(newFake(), "", []string{"supervisor"})
	for _, name := range table.Names() {
		f.Add([]byte("<m><methodName>" + name + "</methodName></m>"))
		f.Add([]byte("<m><methodName>" + name + "</methodName><params><param><value>cat</value></param>" +
			"<param><value><int>-1</int></value></param><param><value><double>nan</double></value></param></params></m>"))
	}
	f.Add([]byte("<m><methodName>system.multicall</methodName><params><param><value><array><data><value><struct><member>" +
		"<name>methodName</name><value>system.listMethods</value></member></struct></value></data></array></value></param></params></m>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		method, params, err := xmlrpc.DecodeCall(body)
		if err != nil {
			return
		}
		result, err := table.Call(t.Context(), method, params)
		if err != nil {
			return
		}
		var e xmlrpc.Encoder
		result.Encode(&e)
		if e.Len() == 0 {
			t.Errorf("%s: an empty result", method)
		}
	})
}
