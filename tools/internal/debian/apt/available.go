package apt

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/versions"
)

// Available is a version of a package in the indexes.
type Available struct {
	Version string
	Path    string // in the archive
	Archive string
}

// aptHelper decompresses indexes.
const aptHelper = "/usr/lib/apt/apt-helper"

// Available returns the versions in the indexes of a platform of the packages that
// wanted has, by name.
func (x *Index) Available(ctx context.Context, p versions.Platform, wanted map[string]bool) (map[string][]Available, error) {
	all := map[string][]Available{}
	out, err := x.run(ctx, p.Arch(), "apt-get", "indextargets", "--format", "$(RELEASE)\t$(FILENAME)", "Created-By: Packages")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		release, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		archive := versions.Archive
		if strings.HasSuffix(release, "-security") {
			archive = versions.SecurityArchive
		}
		// An index has 60 MB.
		r, w := io.Pipe()
		go func() { w.CloseWithError(x.runTo(ctx, w, p.Arch(), aptHelper, "cat-file", file)) }()
		err := readIndex(r, wanted, archive, all)
		r.CloseWithError(err)
		if err != nil {
			return nil, fmt.Errorf("reading index %q: %w", file, err)
		}
	}
	return all, nil
}

// readIndex adds the wanted packages of an index to all.
func readIndex(index io.Reader, wanted map[string]bool, archive string, all map[string][]Available) error {
	lines := bufio.NewScanner(index)
	lines.Buffer(nil, 1<<20)
	name, a := "", Available{Archive: archive}
	add := func() {
		if wanted[name] {
			all[name] = append(all[name], a)
		}
		name, a = "", Available{Archive: archive}
	}
	for lines.Scan() {
		line := lines.Bytes()
		key, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case len(line) == 0:
			add()
		case string(key) == "Package":
			name = string(value)
		case !wanted[name]:
		case string(key) == "Version":
			a.Version = string(value)
		case string(key) == "Filename":
			a.Path = string(value)
		}
	}
	add()
	return lines.Err()
}

// release has the dates of a signed index.
type release struct{ date, validUntil time.Time }

var dateField = regexp.MustCompile(`(?m)^(Date|Valid-Until): *(\S.*?)[ \r]*$`)

// release returns the dates of a suite's index.
func (x *Index) release(suite string) (r release, err error) {
	for _, name := range []string{"InRelease", "Release"} {
		files, err := fs.Glob(os.DirFS(filepath.Join(x.dir, "lists")), "*_dists_"+suite+"_"+name)
		if err != nil || len(files) == 0 {
			continue
		}
		text, err := os.ReadFile(filepath.Join(x.dir, "lists", files[0]))
		if err != nil {
			return r, err
		}
		for _, m := range dateField.FindAllSubmatch(text, 2) {
			t, err := time.Parse(time.RFC1123, string(m[2]))
			if err != nil {
				return r, fmt.Errorf("reading %q: %w", files[0], err)
			}
			if string(m[1]) == "Date" {
				r.date = t.UTC()
			} else {
				r.validUntil = t.UTC()
			}
		}
		if r.date.IsZero() {
			return r, fmt.Errorf("reading %q: no Date", files[0])
		}
		return r, nil
	}
	return r, fmt.Errorf("reading the date of %s: no InRelease and no Release", suite)
}

// publication is the time until the snapshot archive has what an archive published:
// it copies the archive every six hours. A package that is replaced stays in the pool
// for longer.
const publication = 12 * time.Hour

// snapshotURI matches the URI of a snapshot of an archive.
var snapshotURI = regexp.MustCompile(`/(20[0-9]{6}T[0-9]{6}Z)/?$`)

// Snapshots returns the times at which the snapshot archive has all packages of the
// indexes. Of a mirror that is a snapshot itself, it is the one in the URI.
func (x *Index) Snapshots() ([]versions.Snapshot, error) {
	var all []versions.Snapshot
	for _, archive := range []struct {
		name, uri string
		suites    []string
	}{
		{versions.Archive, x.config.Mirror.Archive.URI, []string{x.config.Suite, x.config.Suite + "-updates"}},
		{versions.SecurityArchive, x.config.Mirror.Security.URI, []string{x.config.Suite + "-security"}},
	} {
		s := versions.Snapshot{Suite: x.config.Suite, Archive: archive.name}
		if m := snapshotURI.FindStringSubmatch(archive.uri); m != nil {
			s.Time = m[1]
		} else {
			var newest time.Time
			for _, suite := range archive.suites {
				r, err := x.release(suite)
				if err != nil {
					return nil, err
				}
				if r.date.After(newest) {
					newest = r.date
				}
			}
			s.Time = newest.Add(publication).Format("20060102T150405Z")
		}
		all = append(all, s)
	}
	return all, nil
}

// Outdated returns the suites whose indexes are past their Valid-Until date.
func (x *Index) Outdated(now time.Time) ([]string, error) {
	var outdated []string
	for _, suffix := range []string{"", "-updates", "-security"} {
		r, err := x.release(x.config.Suite + suffix)
		if err != nil {
			return nil, err
		}
		if !r.validUntil.IsZero() && r.validUntil.Before(now) {
			outdated = append(outdated, fmt.Sprintf("%s%s, of %s", x.config.Suite, suffix, r.date.Format(time.DateOnly)))
		}
	}
	return outdated, nil
}
