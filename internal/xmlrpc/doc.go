// Package xmlrpc is the server's half of the XML-RPC wire format: it reads
// method calls and writes responses and faults.
//
// Responses are byte for byte those of Supervisor's server, whose marshaller is
// that of Python's xmlrpc.client, with two exceptions. Text that XML cannot
// carry is replaced, so that every parser accepts the response: a control
// character becomes its picture (U+2400 and following, ESC is U+241B), and what
// is not UTF-8 becomes U+FFFD. An integer that does not fit into 32 bits is
// sent as i8.
//
// Calls are read liberally, by the rules of Supervisor's reader, which looks at
// the elements that it knows wherever they stand. There are limits on the depth
// and on the number of elements; entities other than the five of XML are never
// expanded. The size of a call is limited by whoever reads it from the network.
//
// Clients can have usual answers read quickly, by Unmarshal; they need another
// reader for the rest.
package xmlrpc
