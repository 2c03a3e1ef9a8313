package local

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// serverUser is whom PostgreSQL has to run as: nil is the present user. PostgreSQL refuses to run as
// root, so root lends it to postgres, or to nobody where there is none.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid)}}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody: " +
		"run this as an ordinary user, or set DATABASE_URL")
}

// reachableBy says whether a user can enter a folder. Asking the system covers access lists and
// mounts, which mode bits do not.
func reachableBy(credential *syscall.Credential, dir string) bool {
	cmd := exec.Command("/bin/sh", "-c", `cd "$1"`, "sh", dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	return cmd.Run() == nil
}

// clusterParent is the folder in which the cluster's own folder is made: dir, unless the server's user
// cannot enter it, as when it lies in root's home. Then it is a folder of the system's temporary
// ones named after dir's path, and dir gets a link that leads there.
func clusterParent(dir string, credential *syscall.Credential) (string, error) {
	if credential == nil {
		return dir, nil
	}
	if reachableBy(credential, dir) {
		// An earlier run may not have come in here, and its data lie elsewhere.
		elsewhere, err := os.Readlink(filepath.Join(dir, "elsewhere"))
		_, here := os.Stat(filepath.Join(dir, "data"))
		if err != nil || here == nil || ownFolder(elsewhere) != nil || !reachableBy(credential, elsewhere) {
			return dir, nil
		}
		return elsewhere, nil
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		return "", fmt.Errorf("PostgreSQL's user (%d) cannot enter %s, where its data are: "+
			"open the folders above it (chmod a+x), or remove it to start afresh", credential.Uid, dir)
	}
	name := fmt.Sprintf("banyan-%d-%.8x", os.Getuid(), sha256.Sum256([]byte(dir)))
	var refused error
	// /var/tmp outlives a reboot.
	for _, base := range []string{"/var/tmp", os.TempDir(), "/tmp"} {
		parent := filepath.Join(base, name)
		if err := ownFolder(parent); err != nil {
			refused = errors.Join(refused, err)
			continue
		}
		if !reachableBy(credential, parent) {
			refused = errors.Join(refused, fmt.Errorf("user %d cannot enter %s", credential.Uid, parent))
			continue
		}
		if err := linkTo(parent, filepath.Join(dir, "elsewhere")); err != nil {
			return "", err
		}
		return parent, nil
	}
	return "", fmt.Errorf("find a folder that PostgreSQL's user can enter: %w", refused)
}

// ownFolder makes a folder in a place where others can make one too, and refuses one of theirs.
func ownFolder(path string) error {
	if err := os.Mkdir(path, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("%s is not a folder of user %d", path, os.Getuid())
	}
	return MakeFolder(path) // the umask may have closed it
}

func linkTo(target, link string) error {
	if present, err := os.Readlink(link); err == nil && present == target {
		return nil
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, link)
}
