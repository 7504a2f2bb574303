package packagelayer

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

const (
	dpkgStatus = "/var/lib/dpkg/status"
	dpkgInfo   = "/var/lib/dpkg/info"
)

// addDatabase adds the database of dpkg: the status of the packages of all sets, and
// the lists, checksums and conffiles of those of the last set. They leave out paths
// that are excluded or another package's, so that dpkg --verify finds all it expects.
func (t *tree) addDatabase(l versions.PackageLayer, packages []*pkg) error {
	packages = slices.SortedFunc(slices.Values(packages), func(a, b *pkg) int { return cmp.Compare(a.name, b.name) })
	visible := t.visible()
	owner := fmt.Sprintf("set %q", l.Sets[t.last].Name)
	var status strings.Builder
	var errs []error
	for i, p := range packages {
		if i > 0 && packages[i-1].name == p.name {
			return fmt.Errorf("duplicate package %q", p.name)
		}
		owned := map[string]bool{} // by path in the package and by path in the image
		list := []string{"/."}
		for _, n := range p.nodes {
			if n.alias || visible[n.path] && (n.kind == tar.TypeDir || t.nodes[n.path] == n) {
				owned[n.path] = true
				list = append(list, n.path)
			}
		}
		conffiles := p.ownedConffiles(owned)
		p.writeStatus(&status, conffiles)
		if p.set != t.last {
			continue
		}
		name := p.name
		if p.Control.Field("Multi-Arch") == "same" {
			name += ":" + p.Control.Field("Architecture")
		}
		sums, err := p.ownedSums(owned)
		errs = append(errs, err)
		for _, file := range []struct {
			extension string
			lines     []string
		}{{"list", list}, {"md5sums", sums}, {"conffiles", conffiles}} {
			if len(file.lines) > 0 {
				text := strings.Join(file.lines, "\n") + "\n"
				errs = append(errs, t.addText(path.Join(dpkgInfo, name+"."+file.extension), text, 0o644, owner, t.last))
			}
		}
	}
	if t.last == 0 {
		// The format with names that have an architecture.
		errs = append(errs, t.addText(path.Join(dpkgInfo, "format"), "1\n", 0o644, owner, 0))
	}
	errs = append(errs, t.addText(dpkgStatus, status.String(), 0o644, owner, t.last))
	return errors.Join(append(errs, t.addParents(t.last))...)
}

// ownedConffiles returns the conffiles among paths, sorted.
func (p *pkg) ownedConffiles(owned map[string]bool) []string {
	var paths []string
	for file, sum := range p.conffiles {
		if owned[file] && sum != "" {
			paths = append(paths, file)
		}
	}
	slices.Sort(paths)
	return paths
}

// writeStatus writes the package's paragraph of the status file.
func (p *pkg) writeStatus(b *strings.Builder, conffiles []string) {
	b.WriteString(p.Control.Text + "Status: install ok installed\n")
	if len(conffiles) > 0 {
		b.WriteString("Conffiles:\n")
	}
	for _, file := range conffiles {
		fmt.Fprintf(b, " %s %s\n", file, p.conffiles[file])
	}
	b.WriteByte('\n')
}

// ownedSums returns the lines of the package's md5sums whose paths are owned.
func (p *pkg) ownedSums(owned map[string]bool) ([]string, error) {
	var lines []string
	for line := range strings.Lines(p.MD5Sums) {
		sum, file, ok := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		if !ok || len(sum) != 32 || path.IsAbs(file) {
			return nil, fmt.Errorf("package %s: md5sums: invalid line %q", p.name, line)
		}
		if file = canonical(path.Join("/", file)); owned[file] {
			lines = append(lines, sum+"  "+file[1:])
		}
	}
	return lines, nil
}
