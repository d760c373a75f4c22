package launch

import (
	"runtime"
	"sync"
)

// Threads is the number of threads that a daemon reserves: one for each thing
// that can block one outside Go's scheduler at the same time, with some to
// spare for the garbage collector.
const Threads = 16

// ReserveThreads makes sure that the process has at least n threads beside
// those in use. Go's runtime keeps a thread for ever once it has one and takes
// an idle one before it asks for another, but it ends the whole process when
// the kernel refuses a thread (RLIMIT_NPROC, pids.max of a container). With
// threads in reserve a daemon lives on where fork fails: it reports the failed
// starts and tries again. An idle thread costs a few KiB.
func ReserveThreads(n int) {
	var ready, release, gone sync.WaitGroup
	ready.Add(n)
	release.Add(1)
	for range n {
		gone.Go(func() {
			// Locked goroutines cannot share threads, so that n of them that
			// exist at the same time are n threads.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			release.Wait()
		})
	}
	ready.Wait()
	release.Done()
	gone.Wait()
}
