// Package httpd serves HTTP on sockets that are handed to it: the XML-RPC
// interface at /RPC2, log files as they grow at /logtail and /mainlogtail, and
// everything else through the handler of the web pages (manual: XML-RPC API).
//
// Nothing of a request but its header is read before it has been authorized.
// Headers, bodies, connections and the time that each may take are limited. A
// connection on which a request was authorized may stay idle for as long as it
// likes, because clients keep them for days; when connections run short the one
// that was idle for longest is closed, and those that never got as far as an
// authorized request first. A call that waits is never cut off, and a client
// that goes away ends what waits for it.
//
// Requests that a browser was led to by the page of another site are refused
// where they would call a method. The handler of the web pages does the same
// for its own addresses.
package httpd
