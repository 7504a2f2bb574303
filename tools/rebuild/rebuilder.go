package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/gotool"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/buildplan"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/host"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// rebuilder makes binaries.
type rebuilder struct {
	config config
	env    cli.Env
	report *progress.Reporter
	store  store.Store
	say    func(outcome) // called once for every job

	statements *bytes.Buffer     // of the matches, a line each; nil if nobody asked
	inVain     map[string]string // phases whose date was searched and not found: where
}

// machine is this machine as toolchains name it.
const machine = runtime.GOOS + "/" + runtime.GOARCH

// rebuild does the jobs of one version. The error is for what no job can be
// blamed for.
func (r *rebuilder) rebuild(ctx context.Context, version versions.Version, jobs []job) ([]outcome, error) {
	done, left, err := r.fromStore(jobs)
	if err != nil || len(left) == 0 {
		return done, err
	}
	if err := r.checkNeeds(version); err != nil {
		return done, err
	}
	dates, err := r.dates()
	if err != nil {
		return done, err
	}
	v, err := r.open(ctx, version, dates.Release(version))
	if err != nil {
		return done, err
	}
	defer r.close(v)
	for _, group := range v.groups(left) {
		outcomes, err := r.group(ctx, v, group)
		done = append(done, outcomes...)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// fromStore tells the jobs that are done already from those that are left. A
// file of the store that is not what its name says is as good as none.
func (r *rebuilder) fromStore(jobs []job) (done []outcome, left []job, err error) {
	for _, j := range jobs {
		if r.config.again || r.config.store == "" {
			left = append(left, j)
			continue
		}
		has, err := r.store.Has(j.want)
		if err != nil {
			return done, nil, err
		}
		if has && r.store.Verify(j.want) == nil {
			done = append(done, r.tell(outcome{job: j, status: stored}))
			continue
		}
		left = append(left, j)
	}
	return done, left, nil
}

func (r *rebuilder) tell(o outcome) outcome {
	o.why = oneLine(o.why)
	r.say(o)
	return o
}

func (r *rebuilder) dates() (*builddate.Dates, error) {
	data, err := gotool.ReadFile(r.config.dates, 16<<20)
	if err != nil {
		return nil, fmt.Errorf("reading build dates: %w", err)
	}
	return builddate.Parse(r.config.dates, data)
}

// opened is a version that is ready to be built.
type opened struct {
	tree    *sourcetree.Tree
	release builddate.Release
	site    buildplan.Site // its room is the machine
	layout  buildplan.Layout
	work    *workDir
}

func (o *opened) close() error {
	err := o.tree.Close()
	if o.work != nil {
		err = errors.Join(err, o.work.remove())
	}
	return err
}

func (r *rebuilder) close(o *opened) {
	if err := o.close(); err != nil {
		r.report.Logf("%v", err)
	}
}

func (r *rebuilder) open(ctx context.Context, version versions.Version, release builddate.Release) (_ *opened, err error) {
	room, err := host.New(ctx)
	if err != nil {
		return nil, err
	}
	trees, err := r.trees(ctx)
	if err != nil {
		return nil, err
	}
	tree, err := sourcetree.Ensure(ctx, trees, version.String())
	if err != nil {
		return nil, err
	}
	v := &opened{tree: tree, release: release}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.close())
		}
	}()
	if err := complete(&v.release, tree.Main); err != nil {
		return nil, err
	}
	if v.work, err = newWorkDir(filepath.Join(r.config.cache, "work")); err != nil {
		return nil, err
	}
	v.site = buildplan.Site{Room: room, Source: tree.Source(), Goroot: tree.Toolchain.Dir, Work: v.work.dir, Jobs: r.config.compilers}
	if err := r.checkCaches("go"+tree.Image.Go, room.Name()); err != nil {
		return nil, err
	}
	v.layout, err = v.site.Layout(ctx)
	return v, err
}

// trees says where source trees are kept and how they are fetched.
func (r *rebuilder) trees(ctx context.Context) (sourcetree.Config, error) {
	tool, err := gotool.New(ctx, gotool.Config{Dir: filepath.Join(r.config.cache, "go"), Getenv: r.env.Getenv, GoSum: r.config.goSum})
	return sourcetree.Config{Dir: sourcetree.Trees(r.config.cache), Tool: tool, Report: r.report, Platform: machine}, err
}

// complete fills in, from what the module proxy says, what is not in the file
// of build dates.
func complete(release *builddate.Release, main gotool.Module) error {
	if release.Commit == "" {
		release.Commit, release.CommitHow = main.Commit, builddate.Proxy
	}
	if release.Commit == "" {
		return fmt.Errorf("finding the commit of %s: neither %s nor the module proxy names it", release.Version, builddate.File)
	}
	if release.CommitTime.Date.IsZero() {
		release.CommitTime = builddate.Learned{Date: main.Time, How: builddate.Proxy}
	}
	return nil
}

// group is what one run of the version's scripts plans: one phase of the
// release, for one platform.
type group struct {
	phase    string
	platform versions.Platform
	jobs     []job
	targets  []string
	err      error // the jobs cannot be done
}

// groups puts together the jobs of one platform and phase, in the order in
// which they appear.
func (o *opened) groups(jobs []job) []group {
	var groups []group
	for _, j := range jobs {
		phase, target, err := o.layout.Find(j.binary)
		i := slices.IndexFunc(groups, func(g group) bool {
			return g.phase == phase && g.platform == j.platform && (g.err == nil) == (err == nil)
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{phase: phase, platform: j.platform, err: err})
		}
		groups[i].jobs = append(groups[i].jobs, j)
		groups[i].targets = append(groups[i].targets, target)
	}
	return groups
}

// digestOf is the sha256 of a file.
func digestOf(name string) (versions.Digest, error) {
	f, err := os.Open(name)
	if err != nil {
		return versions.Digest{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return versions.Digest{}, err
	}
	return versions.ParseDigest(hex.EncodeToString(h.Sum(nil)))
}
