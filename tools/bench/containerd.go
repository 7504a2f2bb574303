package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// containerdConfig does not share content between containerd's namespaces, so that
// a pull in a new namespace fetches and unpacks the image again.
const containerdConfig = `version = 2
root = %[1]q
state = %[2]q
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = %[3]q
[plugins."io.containerd.metadata.v1.bolt"]
content_sharing_policy = "isolated"
`

const registryConfig = `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %q}}
http: {addr: %q}
`

// startContainerd starts containerd in a mount namespace of its own. It returns the
// address, and the command line that enters the namespace.
func startContainerd(ctx context.Context, w *workspace) (address string, enter []string, err error) {
	dir := filepath.Join(w.dir, "containerd")
	address = filepath.Join(dir, "sock")
	config := filepath.Join(dir, "config.toml")
	err = errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(config, fmt.Appendf(nil, containerdConfig, filepath.Join(dir, "root"), filepath.Join(dir, "state"), address), 0o600))
	if err != nil {
		return "", nil, err
	}
	pid, err := startServer(w, "unshare", "--mount", "containerd", "--config", config)
	if err != nil {
		return "", nil, err
	}
	enter = []string{"nsenter", "--mount=/proc/" + strconv.Itoa(pid) + "/ns/mnt"}
	return address, enter, waitFor(ctx, "containerd", func() error {
		return exec.CommandContext(ctx, "ctr", "--address", address, "version").Run()
	})
}

// startRegistry starts an empty registry and returns its address.
func startRegistry(ctx context.Context, w *workspace) (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address = listener.Addr().String()
	config := filepath.Join(w.dir, "registry.yml")
	err = errors.Join(listener.Close(), os.WriteFile(config, fmt.Appendf(nil, registryConfig, filepath.Join(w.dir, "registry"), address), 0o600))
	if err != nil {
		return "", err
	}
	if _, err := startServer(w, "docker-registry", "serve", config); err != nil {
		return "", err
	}
	return address, waitFor(ctx, "the registry", func() error {
		response, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			err = response.Body.Close()
		}
		return err
	})
}

// startServer starts a process that is killed when the workspace is removed.
func startServer(w *workspace, name string, args ...string) (pid int, err error) {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("%w. Fix: install the packages containerd, runc and docker-registry, and run as root", err)
	}
	w.cleanUp = append(w.cleanUp, func() error {
		err := cmd.Process.Kill()
		_ = cmd.Wait() // killed
		return err
	})
	return cmd.Process.Pid, nil
}

func waitFor(ctx context.Context, server string, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("starting %s: %w: %w", server, ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// watchMemory runs a command and returns its peak memory in bytes. The peak of the
// process itself is that of its parent at least, so it reads the one of the kernel
// until the process ends.
func watchMemory(cmd *exec.Cmd) (peak int64, err error) {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				err = fmt.Errorf("%w: %s", err, output.Bytes())
			}
			return peak, err
		case <-time.After(2 * time.Millisecond):
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if _, rest, ok := bytes.Cut(status, []byte("VmHWM:")); ok {
				fields := bytes.Fields(rest)
				kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
				peak = kib << 10 // of the last program that the process executes
			}
		}
	}
}
