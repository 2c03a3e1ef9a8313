package local

import (
	"sync"
	"syscall"
)

// held is a file that stays open until it is closed or the process is gone. An os.File would also be
// closed when nobody refers to it any more; here it matters that it is open, and often nothing else.
type held struct {
	fd   int
	once sync.Once
}

func hold(fd int) *held { return &held{fd: fd} }

func (h *held) Write(content []byte) (int, error) { return syscall.Write(h.fd, content) }

// Close may be called again: by then the number may be another file's.
func (h *held) Close() { h.once.Do(func() { _ = syscall.Close(h.fd) }) }
