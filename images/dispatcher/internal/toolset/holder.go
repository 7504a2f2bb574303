package toolset

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// describeHolder describes the process that holds the lock on a file. The kernel
// does not show processes of other containers.
func describeHolder(f *os.File) string {
	const unknown = "another process"
	info, err := f.Stat()
	if err != nil {
		return unknown
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return unknown
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(locks)) {
		// 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" || !strings.HasSuffix(fields[5], ":"+strconv.FormatUint(stat.Ino, 10)) {
			continue
		}
		if pid, err := strconv.Atoi(fields[4]); err == nil && hasOpen(pid, info) {
			return fmt.Sprintf("process %d (%s)", pid, command(pid))
		}
	}
	return unknown
}

// hasOpen reports whether a process has opened a file: files of two file systems
// can have the same inode.
func hasOpen(pid int, file os.FileInfo) bool {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, file) {
			return true
		}
	}
	return false
}

var subcommand = regexp.MustCompile(`^[a-z][a-z-]*$`)

// command returns the program that a process executes, and its subcommand. Other
// arguments may have secrets.
func command(pid int) string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	args := strings.Split(string(line), "\x00")
	if err != nil || args[0] == "" {
		return "unknown command"
	}
	name := filepath.Base(args[0])
	if len(args) > 1 && subcommand.MatchString(args[1]) {
		name += " " + args[1]
	}
	return strconv.Quote(name)
}
