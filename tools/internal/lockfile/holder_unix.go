//go:build unix

package lockfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// describeHolder describes a process that holds a lock on the file at path.
func describeHolder(path string) string {
	if info, err := os.Stat(path); err == nil {
		if pids := holders(info); len(pids) > 0 {
			return describeProcess(pids[0])
		}
	}
	return "another process"
}

// heldByStrangers reports whether all processes that hold a lock on a directory
// belong to users who cannot write to it.
func heldByStrangers(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	// Members of a group may write to the same files. In a sticky directory, others
	// cannot replace the files of this user.
	if info.Mode()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return false
	}
	pids := holders(info)
	for _, pid := range pids {
		process, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
		if err != nil || slices.Contains([]int{0, os.Geteuid(), owner(info)}, owner(process)) {
			return false
		}
	}
	return len(pids) > 0
}

// holders returns the processes that hold a lock on a file. Only Linux lists locks,
// and not those of processes in other containers.
func holders(info fs.FileInfo) []int {
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return nil
	}
	stat := info.Sys().(*syscall.Stat_t)
	inode := fmt.Sprintf(":%d", stat.Ino)
	device := fmt.Sprintf("%02x:%02x", unix.Major(uint64(stat.Dev)), unix.Minor(uint64(stat.Dev)))
	var pids []int
	for line := range strings.Lines(string(locks)) {
		// 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" || !strings.HasSuffix(fields[5], inode) {
			continue
		}
		pid, err := strconv.Atoi(fields[4])
		// Some file systems have another device in the list.
		if err == nil && (fields[5] == device+inode || hasOpen(pid, info)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// hasOpen reports whether a process has opened a file, as far as is visible.
func hasOpen(pid int, file fs.FileInfo) bool {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, file) {
			return true
		}
	}
	return false
}

var subcommand = regexp.MustCompile(`^[a-z][a-z-]*$`)

// describeProcess returns the ID of a process, its program and subcommand, and its
// user if that is another one. Other arguments may have secrets.
func describeProcess(pid int) string {
	dir := fmt.Sprintf("/proc/%d", pid)
	name := "unknown command"
	line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if args := strings.Split(string(line), "\x00"); err == nil && args[0] != "" {
		name = filepath.Base(args[0])
		if len(args) > 1 && subcommand.MatchString(args[1]) {
			name += " " + args[1]
		}
		name = strconv.Quote(name)
	}
	text := fmt.Sprintf("process %d (%s)", pid, name)
	if info, err := os.Stat(dir); err == nil && owner(info) != os.Geteuid() {
		text += fmt.Sprintf(" of user %d", owner(info))
	}
	return text
}
