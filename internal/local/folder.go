package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeFolder makes a folder, and those above it that are missing, which the servers of this package can enter
// whatever the umask is: under root they run as somebody else. A folder that an earlier run has left too closed is
// opened; the folders above it are not, unless they are made here.
func MakeFolder(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		parent := filepath.Dir(path)
		if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
			if err := MakeFolder(parent); err != nil {
				return err
			}
		}
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder: remove it, or choose another place", path)
	}
	needed := fs.FileMode(0o700)
	if os.Getuid() == 0 {
		needed = 0o711
	}
	mode := info.Mode().Perm()
	if mode&needed == needed {
		return nil
	}
	if err := os.Chmod(path, mode|needed); err != nil {
		return fmt.Errorf("%s has mode %o and needs %o: sudo chmod %[3]o %[1]s helps: %[4]w", path, mode, mode|needed, err)
	}
	return nil
}
