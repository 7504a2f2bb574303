package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary a component if it is called by the name of one.
func TestMain(m *testing.M) {
	testscript.Main(cleanup{m}, map[string]func(){
		"kube-apiserver":          component,
		"kube-controller-manager": component,
		"kube-scheduler":          component,
		"odd":                     component,
	})
}

// cleanup removes the built programs after the tests.
type cleanup struct{ *testing.M }

func (m cleanup) Run() int {
	defer func() {
		for _, path := range built.paths {
			os.RemoveAll(filepath.Dir(path))
		}
	}()
	return m.M.Run()
}

// component prints its command line. Its arguments say how it ends.
func component() {
	line, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%q\n", strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"))
	if len(os.Args) < 2 {
		return
	}
	number := 0
	if len(os.Args) > 2 {
		number, _ = strconv.Atoi(os.Args[2])
	}
	switch os.Args[1] {
	case "exit":
		os.Exit(number)
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.Signal(number))
		select {}
	case "print":
		fmt.Println(os.Getpid())
		fmt.Println(strings.Join(os.Environ(), "\n"))
	}
}

var built = struct {
	sync.Mutex
	paths map[string]string // of programs, by architecture
}{paths: map[string]string{}}

// dispatcher returns the path of the program as it is in images. Bazel passes it
// in a variable; without Bazel it is built.
func dispatcher(t *testing.T, arch string) string {
	t.Helper()
	if path := os.Getenv("HYPERKUBE_" + strings.ToUpper(arch)); path != "" {
		return filepath.Join(os.Getenv("TEST_SRCDIR"), path)
	}
	built.Lock()
	defer built.Unlock()
	if path := built.paths[arch]; path != "" {
		return path
	}
	dir, err := os.MkdirTemp("", "hyperkube-test-")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "hyperkube")
	built.paths[arch] = path
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return path
}

// image adds the dispatcher and components to a directory.
func image(t *testing.T, dir string, components ...string) error {
	// Another process must write the file: children forked while this process has it
	// open for writing inherit the descriptor, and executing it fails with ETXTBSY.
	if out, err := exec.Command("cp", dispatcher(t, runtime.GOARCH), filepath.Join(dir, "hyperkube")).CombinedOutput(); err != nil {
		return fmt.Errorf("copying: %w: %s", err, out)
	}
	self, err := os.Executable()
	for _, name := range components {
		err = errors.Join(err, os.Symlink(self, filepath.Join(dir, name)))
	}
	return err
}

func requireLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the dispatcher is a Linux program")
	}
}

// Scripts have a directory "image" with the dispatcher and some components.
func TestScripts(t *testing.T) {
	requireLinux(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			dir := filepath.Join(env.WorkDir, "image")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			return image(t, dir, "kube-apiserver", "kube-controller-manager", "kube-scheduler", "odd")
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
		},
	})
}

// exits CODE COMMAND… fails if the command has another exit code. Codes above 128
// are signals, as in shells.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			got = 128 + int(status.Signal())
		}
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
