package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Node is a running node.
type Node struct {
	Name string
	dir  string
	init *exec.Cmd
	done chan struct{} // closed when the node has ended
}

// Start starts a node with a root directory on top of the directory lower. Files of
// the node are in dir.
func Start(name, lower, dir string) (*Node, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting node %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o755); err != nil {
		return nil, fmt.Errorf("starting node %s: %w", name, err)
	}
	result, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting node %s: %w", name, err)
	}
	defer result.Close()
	n := &Node{name, dir, &exec.Cmd{
		Path: self, Args: []string{initName, name, lower, dir}, Env: environment, ExtraFiles: []*os.File{w},
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
			Pdeathsig:  syscall.SIGKILL,
		},
	}, make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel ends the node when this thread ends.
		runtime.LockOSThread()
		err := n.init.Start()
		started <- err
		if err == nil {
			_ = n.init.Wait() // killed
		}
		close(n.done)
	}()
	err = <-started
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("starting node %s: %w", name, err)
	}
	problem, err := io.ReadAll(result)
	if err != nil || len(problem) > 0 {
		n.Stop()
		return nil, fmt.Errorf("starting node %s: %s", name, errors.Join(errors.New(string(problem)), err))
	}
	return n, nil
}

// PID returns the process ID of the node's init process on the machine.
func (n *Node) PID() string { return strconv.Itoa(n.init.Process.Pid) }

// Stop kills all processes of the node.
func (n *Node) Stop() {
	_ = n.init.Process.Kill() // ended
	<-n.done
}

// Command returns the command that runs a program in the node. It ends with the
// node.
func (n *Node) Command(ctx context.Context, args ...string) *exec.Cmd {
	// nsenter enters the cgroup namespace, but no cgroup.
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{
		"--target", n.PID(), "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd", "--", "/bin/sh", "-c", enterScript, "sh",
	}, args...)...)
	cmd.Env = environment
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// InNetwork returns the command that runs a program of the machine in the network
// namespace of the node. It ends with this process.
func (n *Node) InNetwork(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--target", n.PID(), "--net", "--"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Run runs a program in the node and returns its output.
func (n *Node) Run(ctx context.Context, args ...string) (string, error) {
	return Output(n.Command(ctx, args...), n.Name+": "+strings.Join(args, " "))
}

// Write writes a file of the node.
func (n *Node) Write(ctx context.Context, path string, content io.Reader) error {
	cmd := n.Command(ctx, "sh", "-c", `mkdir -p "$(dirname "$1")" && cat >"$1"`, "sh", path)
	cmd.Stdin = content
	_, err := Output(cmd, n.Name+": writing "+path)
	return err
}

// Output runs a command and returns its output. The error has the description and
// all output of the command.
func Output(cmd *exec.Cmd, description string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", description, err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// Daemon starts a program in the node, which runs until it is stopped or the node
// ends. Its output is in the log of that name.
func (n *Node) Daemon(log string, args ...string) error {
	file, err := os.OpenFile(filepath.Join(n.dir, "log", log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%s: starting %s: %w", n.Name, log, err)
	}
	defer file.Close()
	cmd := n.Command(context.Background(), args...)
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: starting %s: %w", n.Name, log, err)
	}
	go cmd.Wait() // its log has the reason
	return nil
}

// Logs returns the last lines of every log: of daemons, and in /var/log.
func (n *Node) Logs(lines int) string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(n.dir, "log", "*"))
	more, _ := filepath.Glob(filepath.Join(n.dir, "upper", "var", "log", "*.log"))
	for _, file := range append(files, more...) {
		raw, _ := os.ReadFile(file)
		last := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
		fmt.Fprintf(&all, "== %s: %s\n%s\n", n.Name, filepath.Base(file), bytes.Join(last[max(0, len(last)-lines):], []byte("\n")))
	}
	return all.String()
}
