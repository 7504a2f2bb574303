package packagelayer

import (
	"archive/tar"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/tools/internal/debian/deb"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
	"golang.org/x/sync/errgroup"
)

// maxWorkers bounds the number of packages that are read at once, and so the memory.
const maxWorkers = 3

// pkg is a package of the layer or of a set below.
type pkg struct {
	deb.Package
	name      string
	set       int               // index of its set
	nodes     []*node           // by the order in the package
	conffiles map[string]string // paths to MD5 sums in hexadecimal
}

// scanAll reads all packages concurrently. The second result closes the files that the
// contents are in.
func scanAll(ctx context.Context, l versions.PackageLayer, r rules, open Opener) ([]*pkg, func() error, error) {
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	spools := make([]*spool, 0, workers)
	closeAll := func() error {
		var errs []error
		for _, s := range spools {
			errs = append(errs, s.f.Close())
		}
		return errors.Join(errs...)
	}
	free := make(chan *spool, workers)
	for range workers {
		s, err := newSpool()
		if err != nil {
			return nil, closeAll, err
		}
		spools = append(spools, s)
		free <- s
	}
	var packages []*pkg
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, set := range l.Sets {
		for _, pin := range set.Packages {
			p := &pkg{name: pin.Name, set: i}
			packages = append(packages, p)
			g.Go(func() error {
				s := <-free
				defer func() { free <- s }()
				if err := p.scan(ctx, pin, l, r, open, s); err != nil {
					return fmt.Errorf("package %s %s: %w", pin.Name, pin.Version, err)
				}
				return nil
			})
		}
	}
	err := g.Wait()
	for _, s := range spools {
		err = errors.Join(err, s.w.Flush())
	}
	return packages, closeAll, err
}

// scan reads a package. The contents that the layer needs are copied to the spool.
func (p *pkg) scan(ctx context.Context, pin versions.PackagePin, l versions.PackageLayer, r rules, open Opener, s *spool) (err error) {
	file, err := open(ctx, pin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	verified := store.NewVerifier(ctxio.NewReader(ctx, file), pin.Path, pin.SHA256, pin.Size)
	if err := p.read(verified, pin, r, p.set == len(l.Sets)-1, s); err != nil {
		// That the file is not the pinned one explains any other error.
		if _, readErr := io.Copy(io.Discard, verified); readErr != nil {
			return readErr
		}
		return err
	}
	return nil
}

func (p *pkg) read(file io.Reader, pin versions.PackagePin, r rules, last bool, s *spool) error {
	d, err := deb.NewReader(file)
	if err != nil {
		return err
	}
	defer d.Close()
	p.Package = d.Package
	for field, want := range map[string]string{"Package": pin.Name, "Version": pin.Version, "Architecture": pin.Architecture} {
		if got := d.Control.Field(field); got != want {
			return fmt.Errorf("control file: want %s %q, got %q", field, want, got)
		}
	}
	p.conffiles = map[string]string{}
	for line := range strings.Lines(d.Conffiles) {
		// A line with a flag is not the path of a file.
		p.conffiles[strings.TrimRight(line, "\n")] = ""
	}
	files := map[string]*node{} // by path in the package
	for {
		h, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Name == "/" {
			continue
		}
		n := &node{
			path: canonical(h.Name), kind: h.Typeflag, mode: h.Mode, uid: h.Uid, gid: h.Gid,
			owner: p.name, set: p.set,
		}
		n.excluded = r.excluded(n.path)
		switch h.Typeflag {
		case tar.TypeSymlink:
			n.target = moveTarget(h.Linkname, h.Name, n.path)
			n.mode = 0o777
			if isAliasLink(h.Name, h.Linkname) {
				n.path, n.alias = h.Name, true
			}
		case tar.TypeLink:
			file := files[h.Linkname]
			n.kind, n.content, n.mode, n.uid, n.gid = tar.TypeReg, file.content, file.mode, file.uid, file.gid
			if last && !n.excluded && n.content.r == nil {
				return fmt.Errorf("%s is a hard link to %s, which is excluded", h.Name, h.Linkname)
			}
		case tar.TypeReg:
			n.content = &content{size: h.Size}
			files[h.Name] = n
			var to []io.Writer
			if last && !n.excluded || r.from.match(n.path) {
				n.content.r, n.content.offset = s.f, s.n
				to = append(to, s)
			}
			sum := md5.New()
			_, isConffile := p.conffiles[h.Name]
			if isConffile {
				to = append(to, sum)
			}
			if len(to) > 0 {
				if _, err := io.Copy(io.MultiWriter(to...), d); err != nil {
					return err
				}
			}
			if isConffile {
				p.conffiles[h.Name] = fmt.Sprintf("%x", sum.Sum(nil))
			}
		}
		p.nodes = append(p.nodes, n)
	}
}
