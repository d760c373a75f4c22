// Package adopt keeps what a supervisord needs to take back the processes of
// its previous life, if that was ended by SIGKILL or want of memory: a
// directory with a record of each process, and with the FIFOs that are the
// standard input and output of the processes.
//
// The FIFOs are opened for reading and writing by the processes, which so have
// both ends themselves: a supervisord that goes away breaks no pipe and ends no
// file, and its successor opens them again by name. The records are in one
// file, in slots of a fixed size. Each change is one write of less than a page,
// which a SIGKILL cannot cut; the file is meant to be on a file system in
// memory and is never synced, because no process outlives the machine.
//
// Nothing in the directory is believed that does not prove true: a process is
// taken back if its pid, the time of its start, the boot of the machine and its
// configuration are those of the record, see Directory.Examine.
package adopt
