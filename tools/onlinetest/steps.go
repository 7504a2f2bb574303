package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
)

// The image to build. The store must have its files.
const (
	image  = "hyperkube:v1.36.0"
	target = "v1_36_0"
)

// test runs Bazel as engineers do.
func test(ctx context.Context, w *workspace, s *server) error {
	// Wildcards come first: afterwards Bazel has the binaries.
	for _, command := range [][]string{{"query", "//..."}, {"test", "//..."}} {
		if _, err := w.bazel(ctx, command...); err != nil {
			return err
		}
		if err := errors.Join(s.checkNoBinaries(), w.checkEmptyStore()); err != nil {
			return cli.Exit(cli.ExitDrift, fmt.Errorf("bazelw %s: %w", strings.Join(command, " "), err))
		}
		w.pass("%s: no binary was requested", strings.Join(command, " "))
	}
	layout, err := w.build(ctx, "//images:"+target)
	if err != nil {
		return err
	}
	if err := w.hk(ctx, "verify", image, "--layout", layout); err != nil {
		return err
	}
	w.pass("build: the layout is the recorded one")
	if err := nullBuild(ctx, w); err != nil {
		return err
	}
	records, err := record.Read(w.checkout)
	if err != nil {
		return err
	}
	if err := push(ctx, w, s, records[image]); err != nil {
		return err
	}
	if err := load(ctx, w, records[image]); err != nil {
		return err
	}
	archive, err := w.build(ctx, "//images:save_"+target)
	if err != nil {
		return err
	}
	if err := w.hk(ctx, "list", archive); err != nil {
		return err
	}
	w.pass("save: the archive has the image")
	if err := s.checkNoUnknownHosts(); err != nil {
		return cli.Exit(cli.ExitDrift, err)
	}
	return nil
}

// nullBuild measures a build without changes by a fresh server of Bazel.
func nullBuild(ctx context.Context, w *workspace) error {
	if _, err := w.bazel(ctx, "shutdown"); err != nil {
		return err
	}
	start := time.Now()
	if _, err := w.bazel(ctx, "build", "//images:"+target); err != nil {
		return err
	}
	w.pass("build by a fresh server without changes: %.1f s", time.Since(start).Seconds())
	return nil
}

// push pushes to the registry of the server and compares the digest there with the
// record.
func push(ctx context.Context, w *workspace, s *server, recorded record.Record) error {
	if _, err := w.bazel(ctx, "run", "//images:push_"+target, "--", "--repository", s.host()+"/test/hyperkube"); err != nil {
		return err
	}
	_, tag, _ := strings.Cut(image, ":")
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, s.url+"/v2/test/hyperkube/manifests/"+tag, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("reading the pushed tag: %w", err)
	}
	response.Body.Close()
	got, want := response.Header.Get("Docker-Content-Digest"), recorded.Index
	if got != want {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("push: tag %s has digest %q (%s), want %q of images/digests.json", tag, got, response.Status, want))
	}
	w.pass("push: %s", got)
	return nil
}

// load runs the load target with a docker command that keeps the archive, and
// compares the layers in it with the record.
func load(ctx context.Context, w *workspace, recorded record.Record) error {
	if _, err := w.bazel(ctx, "run", "//images:load_"+target); err != nil {
		return err
	}
	loaded, err := tarball.ImageFromPath(w.loaded(), nil)
	if err != nil {
		return fmt.Errorf("reading the loaded archive: %w", err)
	}
	config, err := loaded.ConfigFile()
	if err != nil {
		return fmt.Errorf("reading the loaded archive: %w", err)
	}
	got, want := fmt.Sprint(config.RootFS.DiffIDs), fmt.Sprint(recorded.DiffIDs["linux/"+runtime.GOARCH])
	if got != want {
		return cli.Exit(cli.ExitDrift, fmt.Errorf("load: got layers %s, want %s of images/digests.json", got, want))
	}
	w.pass("load: %d layers for %s", len(config.RootFS.DiffIDs), config.Architecture)
	return nil
}

// bazel runs bazelw and returns its stdout.
func (w *workspace) bazel(ctx context.Context, args ...string) (string, error) {
	return w.command(ctx, "./bazelw", args...)
}

// build builds a target with one output and returns the path of the output.
func (w *workspace) build(ctx context.Context, target string) (string, error) {
	if _, err := w.bazel(ctx, "build", target); err != nil {
		return "", err
	}
	out, err := w.bazel(ctx, "cquery", "--output=files", target)
	return filepath.Join(w.checkout, strings.TrimSpace(out)), err
}

// hk runs hk of the checkout and prints its output. Its exit code is kept.
func (w *workspace) hk(ctx context.Context, args ...string) error {
	out, err := w.command(ctx, w.program("hk"), args...)
	fmt.Fprint(w.env.Err, out)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == cli.ExitDrift {
		return cli.Exit(cli.ExitDrift, err)
	}
	return err
}

func (w *workspace) command(ctx context.Context, name string, args ...string) (string, error) {
	fmt.Fprintf(w.env.Err, "onlinetest: %s %s\n", filepath.Base(name), strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.checkout, w.environ, &out, w.env.Err
	// Bazel forwards the signal to its server and to the actions.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, stopTimeout
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running %s %s: %w", name, strings.Join(args, " "), err)
	}
	return out.String(), nil
}

// pass reports that a step has passed.
func (w *workspace) pass(format string, args ...any) {
	fmt.Fprintf(w.env.Out, "passed: "+format+"\n", args...)
}
