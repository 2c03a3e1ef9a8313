package up

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// checkOwner refuses a folder that is another user's, before anything is written there. Root could write in it, but
// its owner could change nothing of that, and not even start a lab in it any more.
func checkOwner(dir string) error {
	there := dir
	info, err := os.Stat(there)
	for errors.Is(err, fs.ErrNotExist) && there != filepath.Dir(there) {
		there = filepath.Dir(there)
		info, err = os.Stat(there)
	}
	if err != nil {
		return fmt.Errorf("look at the lab's folder: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Getuid() {
		return nil
	}
	owner := userName(int(stat.Uid))
	switch {
	case os.Getuid() == 0:
		return fmt.Errorf("%s belongs to %s, who could not change what root writes there: run the lab as %[2]s (sudo -u %[2]s …), "+
			"or choose a folder of root's, as in --dir /var/tmp/lab; nothing was written", there, owner)
	case there == dir:
		return belongsToAnother(dir, owner)
	}
	return nil // whether a folder can be made there, the system says
}

func belongsToAnother(dir, owner string) error {
	return fmt.Errorf("%s holds files of %s, which an earlier run has left: make it yours with sudo chown -R %d %[1]s, "+
		"or choose another folder with --dir", dir, owner, os.Getuid())
}

// explainPermission says what to do about files in the lab's folder that this user may not touch.
func explainPermission(dir string, err error) error {
	if !errors.Is(err, fs.ErrPermission) || os.Getuid() == 0 {
		return err
	}
	return fmt.Errorf("%w\n%w", err, belongsToAnother(dir, "another user"))
}

func userName(uid int) string {
	account, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return "#" + strconv.Itoa(uid) // as sudo -u takes it
	}
	return account.Username
}
