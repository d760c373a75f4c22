// Package clienttest runs clients that others wrote against the programs of
// this module: the original supervisorctl with every test run, and with the
// build tag clients Ansible's module and the XML-RPC libraries of other
// languages. Nothing here is linked by a program.
package clienttest
