package spawn

import (
	"errors"
	"syscall"
)

// pipes are the pipes of one process: standard input, output and error. -1
// stands where there is no descriptor.
type pipes struct {
	child  [3]int
	parent [3]int
	lent   bool // child[0] belongs to the caller
	merged bool // child[2] is child[1]
}

// makePipes makes the pipes of a process. All descriptors are close-on-exec;
// the parent's ends do not block. The child's ends do: nonblocking mode belongs
// to an end of a pipe, and programs do not expect it.
func makePipes(want Pipes) (*pipes, syscall.Errno) {
	p := &pipes{child: [3]int{-1, -1, -1}, parent: [3]int{-1, -1, -1}}
	for i := range p.child {
		switch {
		case i == 0 && want.StdinFD != 0:
			p.child[0], p.lent = want.StdinFD, true
			continue
		case i == 2 && want.MergeStderr:
			p.child[2], p.merged = p.child[1], true
			continue
		}
		if want.Make != nil {
			var err error
			if p.child[i], p.parent[i], err = want.Make(i); err == nil {
				continue
			}
			p.child[i], p.parent[i] = -1, -1
			p.closeChild()
			p.closeParent()
			var errno syscall.Errno
			if !errors.As(err, &errno) {
				errno = syscall.EIO
			}
			return nil, errno
		}
		var fds [2]int
		if err := pipe(&fds); err != nil {
			p.closeChild()
			p.closeParent()
			return nil, errnoOf(err)
		}
		if i == 0 {
			p.child[i], p.parent[i] = fds[0], fds[1]
		} else {
			p.parent[i], p.child[i] = fds[0], fds[1]
		}
		if err := syscall.SetNonblock(p.parent[i], true); err != nil {
			p.closeChild()
			p.closeParent()
			return nil, errnoOf(err)
		}
	}
	return p, 0
}

func (p *pipes) closeChild() {
	for i, fd := range p.child {
		if fd >= 0 && !(i == 0 && p.lent) && !(i == 2 && p.merged) {
			syscall.Close(fd)
		}
	}
}

func (p *pipes) closeParent() {
	for _, fd := range p.parent {
		if fd >= 0 {
			syscall.Close(fd)
		}
	}
}
