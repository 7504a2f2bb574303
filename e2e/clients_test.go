//go:build e2e

package e2e

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs is the directory of programs that are built for the tests.
var programs string

var crane = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "install", "github.com/google/go-containerregistry/cmd/crane@v0.22.1")
	cmd.Env = append(os.Environ(), "GOBIN="+programs)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("building crane: %w\n%s", err, out)
	}
	return filepath.Join(programs, "crane"), err
})

func craneCommand(t *testing.T) string {
	t.Helper()
	path, err := crane()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "hyperkube-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(programs)
	os.Exit(code)
}

// file is a file of an image.
type file struct {
	sha256   string
	mode     int64
	uid, gid int
	regular  bool
}

// export unpacks the image for a platform with crane, and returns its files.
func export(t *testing.T, ref, platform string) map[string]file {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), craneCommand(t), "export", "--platform", platform, ref, "-")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]file{}
	for r := tar.NewReader(out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			t.Fatal(err)
		}
		files["/"+strings.TrimPrefix(h.Name, "/")] = file{
			fmt.Sprintf("%x", sum.Sum(nil)), h.Mode, h.Uid, h.Gid, h.Typeflag == tar.TypeReg,
		}
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return files
}

// containerd starts a containerd with its own directories and returns its address.
func containerd(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hk-ctrd-") // short: the length of a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	address := filepath.Join(dir, "sock")
	config := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = %q\n",
		filepath.Join(dir, "root"), filepath.Join(dir, "state"), address)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(client(t, "containerd"), "--config", config)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // interrupted
		if t.Failed() {
			raw, _ := os.ReadFile(log.Name())
			t.Logf("log of containerd:\n%s", raw)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	ctr := client(t, "ctr")
	wait(t, "containerd", func() error {
		return exec.Command(ctr, "-a", address, "version").Run()
	})
	return address
}

// digestFile returns the sha256 of a file.
func digestFile(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
