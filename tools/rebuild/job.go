package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
)

// job is one binary to make.
type job struct {
	version  versions.Version
	binary   string
	platform versions.Platform
	want     versions.Digest // the official one
}

func (j job) String() string { return fmt.Sprintf("%s %s %s", j.binary, j.version, j.platform) }

type status string

const (
	matched     status = "matched"      // built, and it is what upstream published
	stored      status = "in the store" // nothing was built
	differs     status = "differs"
	unbuildable status = "cannot be built here"
)

// outcome is what became of a job.
type outcome struct {
	job    job
	status status
	got    versions.Digest // what was built
	kept   string          // where that is, if it differs
	why    string          // unbuildable
	trouble
	made made
}

// made says how something was built and what that took.
type made struct {
	toolchain, system, compiler, commit string
	wall                                time.Duration
	peak                                int64    // bytes of memory of all its processes together
	with                                []string // all binaries of the same go command
}

func (o outcome) String() string {
	switch o.status {
	case matched, stored:
		return fmt.Sprintf("%s: %s, sha256 %s", o.job, o.status, o.job.want)
	case differs:
		return fmt.Sprintf("%s: %s, want sha256 %s, got %s, kept as %s", o.job, o.status, o.job.want, o.got, o.kept)
	}
	return fmt.Sprintf("%s: %s: %s", o.job, o.status, o.why)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// everything stands for all binaries that the lock has of a version.
const everything = "all"

// jobs are the binaries asked for, by platform and name.
func (c config) jobs(catalog *versions.Catalog) ([]job, error) {
	known := map[string]bool{}
	for _, pin := range catalog.Lock.Pins() {
		if pin.Source == source && pin.Version == c.version {
			known[pin.File] = true
		}
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("%s has no official sha256 of %s, so nothing that is built could be compared; add the release with hk pin",
			versions.LockFile, c.version)
	}
	names := c.binaries
	switch {
	case len(names) == 0:
		for _, image := range catalog.Images {
			for _, build := range image.Builds {
				for _, layer := range build.Layers {
					if p := layer.Pin; p.Source == source && p.Version == c.version && !slices.Contains(names, p.File) {
						names = append(names, p.File)
					}
				}
			}
		}
	case slices.Equal(names, []string{everything}):
		names = nil
		for name := range known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var jobs []job
	for _, platform := range c.platforms {
		for _, name := range names {
			pin, ok := catalog.Lock.Pin(versions.FileKey{Source: source, Version: c.version, Platform: platform, File: name})
			if !ok {
				return nil, cli.Usage("-binary: %s has no %q of %s for %s", versions.LockFile, name, c.version, platform)
			}
			jobs = append(jobs, job{c.version, name, platform, pin.SHA256})
		}
	}
	return jobs, nil
}
