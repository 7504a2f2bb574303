package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/debian"
)

// step is one build being made: where, and how much memory it takes.
type step struct {
	site  buildplan.Site
	build buildplan.Build
	cache string
	what  string // for people
	watch *memory
}

func (r *rebuilder) newStep(v *opened, site buildplan.Site, b buildplan.Build) (*step, error) {
	s := &step{
		site: site, build: b, watch: &memory{},
		cache: sourcetree.BuildCache(r.config.cache, "go"+v.tree.Image.Go, site.Room.Name()),
		what:  fmt.Sprintf("%s %s %s/%s", strings.Join(programs(b), ", "), v.tree.Version, b.Getenv("GOOS"), b.Getenv("GOARCH")),
	}
	return s, s.makeCache()
}

func (s *step) makeCache() error {
	if err := os.MkdirAll(s.cache, 0o755); err != nil {
		return fmt.Errorf("making a build cache: %w", err)
	}
	now := time.Now() // its last use, for who makes room
	if err := os.Chtimes(s.cache, now, now); err != nil {
		return fmt.Errorf("making a build cache: %w", err)
	}
	return nil
}

// programs are the names of what a build installs.
func programs(b buildplan.Build) []string {
	var names []string
	for _, pkg := range b.Packages() {
		names = append(names, path.Base(pkg))
	}
	return names
}

// make runs a build in two steps. Compilers may run side by side; linkers take
// up to 1.6 GB each, so there is one at a time.
func (r *rebuilder) make(ctx context.Context, v *opened, s *step) (made, error) {
	m := made{toolchain: "go" + v.tree.Image.Go, system: s.site.Room.Name(), commit: v.release.Commit}
	if root, ok := s.site.Room.(*debian.Root); ok {
		var err error
		if m.compiler, err = compiler(root, s.build.Getenv("CC")); err != nil {
			return m, err
		}
		m.system = v.tree.Image.Suite
	}
	start := time.Now()
	if err := r.compile(ctx, s); err != nil {
		return m, err
	}
	if err := r.link(ctx, s); err != nil {
		return m, err
	}
	m.wall, m.peak, m.with = time.Since(start), s.watch.peak(), programs(s.build)
	return m, nil
}

// compiler is the Debian package that a root's C compiler is in, with its
// version: "gcc-10 10.2.1-6".
func compiler(root *debian.Root, cc string) (string, error) {
	packages, err := root.Packages()
	if err != nil {
		return "", err
	}
	cross := strings.TrimSuffix(cc, "-gcc") // aarch64-linux-gnu
	for _, p := range packages {
		if m := compilerPackage.FindStringSubmatch(p.Name); m != nil && m[1] == cross {
			return p.Name + " " + p.Version, nil
		}
	}
	return "", fmt.Errorf("finding the C compiler of the root %q: no package of it", root.Name())
}

var compilerPackage = regexp.MustCompile(`^gcc-[0-9]+-?([a-z0-9_]+-linux-gnu)?$`)

func (r *rebuilder) compile(ctx context.Context, s *step) error {
	if !s.build.Static() {
		if err := r.checkC(ctx, s); err != nil {
			return err
		}
	}
	total, err := s.countPackages(ctx)
	if err != nil {
		return err
	}
	task := r.report.Start("compiling "+s.what, "packages", total)
	list := s.build
	list.Args = append([]string{"list", "-export", "-deps", "-f", "", "-v"}, s.build.Args[1:]...)
	err = s.run(s.site.Command(ctx, list, s.cache), func(stderr io.Reader, said func(string)) error {
		return gotool.EachPackage(stderr, said, func(pkg string) { task.Detail(pkg); task.Add(1) })
	})
	if err != nil {
		task.Fail()
		return fmt.Errorf("compiling: %w", err)
	}
	task.Done()
	return nil
}

// countPackages says how many packages a build is made of.
func (s *step) countPackages(ctx context.Context) (int64, error) {
	out, err := s.list(ctx, s.build.Packages(), "-deps", "-f", "{{.ImportPath}}")
	if err != nil {
		return 0, fmt.Errorf("listing packages: %w", err)
	}
	return int64(strings.Count(string(out), "\n")), nil
}

// list asks go about packages, with the flags of the build.
func (s *step) list(ctx context.Context, packages []string, args ...string) ([]byte, error) {
	b := s.build
	flags := b.Args[1 : len(b.Args)-len(b.Packages())]
	b.Args = slices.Concat([]string{"list"}, args, flags, packages)
	return gotool.Output(s.site.Command(ctx, b, s.cache))
}

// run runs cmd, watched, and lets read have what it says.
func (s *step) run(cmd *exec.Cmd, read func(stderr io.Reader, said func(string)) error) error {
	return gotool.Run(cmd, s.watch.follow, read)
}
