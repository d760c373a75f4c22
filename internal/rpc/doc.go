// Package rpc is the table of the methods that clients can call: the
// supervisor and system namespaces of Supervisor's XML-RPC interface, and what is
// added to it in the namespace supervisord. It knows
// names, parameters, results and faults, and nothing of HTTP or XML, so that
// the table can be served over another transport.
package rpc
