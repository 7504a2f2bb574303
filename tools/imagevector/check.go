package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
)

// wanted is an image that something would pull.
type wanted struct {
	Image         string   `json:"image"`
	Names         []string `json:"names"`
	Architectures []string `json:"architectures"` // that need it
	// VersionIsTag tells that the vector has no tag for it.
	VersionIsTag bool `json:"versionIsTag,omitempty"`
	// Asked is where it is looked for, if a mirror stands for its registry.
	Asked string `json:"asked,omitempty"`

	Digest  string   `json:"digest,omitempty"`
	Missing []string `json:"missing,omitempty"` // architectures
	// Lacking are architectures that are missing, but may be.
	Lacking []string `json:"lacking,omitempty"`
	Error   string   `json:"error,omitempty"`

	// Unchosen are the Kubernetes versions that the vector has nothing for; then
	// there is no image.
	Unchosen string `json:"unchosen,omitempty"`
}

func check(ctx context.Context, env cli.Env) error {
	in := input{env: env}
	fs := flag.NewFlagSet("imagevector check [NAME...]", flag.ContinueOnError)
	in.flagVector(fs)
	in.flagReading(fs)
	in.flagRange(fs, "must be given")
	var mirrors imagevector.Rules
	fs.Func("mirror", "`FROM=TO`: look for what is below FROM at TO; repeatable, the longest FROM wins", func(s string) error {
		r, err := imagevector.ParseRule(s)
		mirrors = append(mirrors, r)
		return err
	})
	var tags givenTags
	fs.Var(&tags, "tag", "`NAME=TAG`: the tag of an image that has none and whose tag is not the Kubernetes version, as garden*=v1.149.3; repeatable, the first that fits counts")
	var mayLack []string
	fs.Func("may-lack", "`architectures`, separated by commas, that nobody uses: say if they are missing, but do not fail", architectures(&mayLack))
	jobs := fs.Int("jobs", 8, "how many images to look at at once")
	insecure := fs.Bool("insecure", false, "speak plain HTTP to registries; to this machine's that is done anyway")
	if err := cli.Parse(fs, env, true); err != nil {
		return err
	}
	if *jobs < 1 {
		return cli.Usage("-jobs: want 1 or more, got %d", *jobs)
	}
	if in.kubernetes == "" {
		return cli.Usage("missing -kubernetes VERSIONS")
	}
	v, err := in.merged(in.vector)
	if err != nil {
		return err
	}
	names, err := in.names(v, fs)
	if err != nil {
		return err
	}
	if err := tags.used(v); err != nil {
		return err
	}
	asked, err := in.versions()
	if err != nil {
		return err
	}
	images, err := in.wanted(v, names, asked, tags)
	if err != nil {
		return err
	}
	unchosen := in.unchosen(v, names, asked)
	if len(images)+len(unchosen) == 0 {
		return fmt.Errorf("checking %s: it has no image for Kubernetes %s", in.vector, asked)
	}
	config := registry.CheckerConfig{Insecure: *insecure}
	if ca := v.CABundle(); ca != nil && ca.Inline != nil {
		config.CAs = []byte(*ca.Inline)
	}
	checker, err := registry.NewChecker(config)
	if err != nil {
		return err
	}
	var references []string
	for _, w := range images {
		references = append(references, w.Image)
	}
	tellUnused(env, mirrors, references)
	lookAll(ctx, progress.New(env.Err), checker, images, mirrors, mayLack, *jobs)
	if err := ctx.Err(); err != nil {
		return err
	}
	return in.printChecked(images, unchosen)
}

// unchosen returns what the vector has no image for, on none of the
// architectures: of images that are asked for by name.
func (in *input) unchosen(v *imagevector.Vector, names []string, asked imagevector.Versions) []*wanted {
	var list []*wanted
	for _, name := range names {
		nothing := asked
		for _, architecture := range in.architectures {
			var none imagevector.Versions
			for _, c := range v.Choices(name, architecture, asked) {
				if c.Entry < 0 {
					none = none.Union(c.Versions)
				}
			}
			nothing = nothing.Intersect(none)
		}
		if !nothing.Empty() {
			list = append(list, &wanted{Names: []string{name}, Architectures: in.architectures, Unchosen: nothing.String()})
		}
	}
	return list
}

// wanted returns every image that is chosen for the versions and architectures
// asked for, by reference.
func (in *input) wanted(v *imagevector.Vector, names []string, asked imagevector.Versions, given givenTags) ([]*wanted, error) {
	known, err := releases()
	if err != nil {
		return nil, err
	}
	// A version that is asked for by name need not be known.
	for item := range strings.SplitSeq(in.kubernetes, ",") {
		named, err := imagevector.ParseVersions(item)
		if one, single := named.Single(); err == nil && single && !slices.Contains(known, "v"+one) {
			known = append(known, "v"+one)
		}
	}
	nothing, err := imagevector.New(nil, imagevector.Compatible())
	if err != nil {
		return nil, err
	}
	chosen, err := imagevector.Compare(nothing, v, asked, in.architectures, imagevector.SameVersion, imagevector.TwoVersions)
	if err != nil {
		return nil, err
	}
	sources := v.Sources()
	byImage := map[string]*wanted{}
	list := []*wanted{}
	for _, d := range chosen {
		if len(names) > 0 && !slices.Contains(names, d.Name) {
			continue
		}
		s := sources[d.After]
		tags := []string{""}
		byVersion := false
		if tag := given.of(d.Name); tag != "" && s.Tag == nil {
			s.Tag = &tag
		} else if s.Ref == nil && s.Tag == nil {
			// The tag is the version, so it takes versions that exist.
			byVersion = true
			if tags = d.Target.Select(known); len(tags) == 0 {
				if d.Shape == imagevector.SameVersion && d.Target.Select(known) == nil {
					return nil, fmt.Errorf("checking %q: its tag is the Kubernetes version, and no release is known in %v: name versions, as -kubernetes 1.40.0,1.40.1", d.Name, d.Target)
				}
				continue
			}
		}
		for _, version := range tags {
			image := s.ToImage(&version).String()
			w := byImage[image]
			if w == nil {
				w = &wanted{Image: image, VersionIsTag: byVersion}
				byImage[image] = w
				list = append(list, w)
			}
			if !slices.Contains(w.Names, d.Name) {
				w.Names = append(w.Names, d.Name)
			}
			if !slices.Contains(w.Architectures, d.Architecture) {
				w.Architectures = append(w.Architectures, d.Architecture)
			}
		}
	}
	return list, nil
}

// lookAll looks at every image, several at once, and notes what it finds.
func lookAll(ctx context.Context, p *progress.Reporter, checker *registry.Checker, images []*wanted, mirrors imagevector.Rules, mayLack []string, jobs int) {
	task := p.Start("looking at images", "image", int64(len(images)))
	group := errgroup.Group{}
	group.SetLimit(jobs)
	for _, w := range images {
		group.Go(func() error {
			defer task.Add(1)
			at := w.Image
			if moved, ok := mirrors.Apply(w.Image); ok {
				at, w.Asked = moved, moved
			}
			found, err := checker.Head(ctx, at, w.Architectures)
			w.Digest = found.Digest
			if err != nil && !errors.Is(err, registry.ErrNotFound) {
				w.Error = err.Error()
				return nil
			}
			for _, a := range w.Architectures {
				switch {
				case slices.Contains(found.Architectures, a):
				case slices.Contains(mayLack, a):
					w.Lacking = append(w.Lacking, a)
				default:
					w.Missing = append(w.Missing, a)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // what fails is noted with its image
	if ctx.Err() != nil {
		task.Fail()
	} else {
		task.Done()
	}
}

func (in *input) printChecked(images, unchosen []*wanted) error {
	missing, failed := 0, 0
	for _, w := range images {
		if w.Error != "" {
			failed++
		} else if len(w.Missing) > 0 {
			missing++
		}
	}
	if in.json {
		if err := printJSON(in.env.Out, append(images, unchosen...)); err != nil {
			return err
		}
	} else {
		for _, w := range images {
			line := "ok      " + w.Image
			switch {
			case w.Error != "":
				line = "failed  " + w.Image + ": " + w.Error
			case len(w.Missing) > 0 && w.Digest == "":
				line = "missing " + w.Image + ": the registry has no such image"
				if w.VersionIsTag {
					line += "; the Kubernetes version is its tag, unless -tag gives another"
				}
			case len(w.Missing) > 0:
				line = "missing " + w.Image + ": not for " + strings.Join(w.Missing, ", ")
			case len(w.Lacking) > 0:
				line += ", but not for " + strings.Join(w.Lacking, ", ")
			}
			if w.Asked != "" {
				line += " (at " + w.Asked + ")"
			}
			if _, err := fmt.Fprintf(in.env.Out, "%s [%s]\n", line, strings.Join(w.Names, ", ")); err != nil {
				return err
			}
		}
		for _, w := range unchosen {
			if _, err := fmt.Fprintf(in.env.Out, "nothing is chosen for Kubernetes %s on %s [%s]\n", w.Unchosen, strings.Join(w.Architectures, ", "), w.Names[0]); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(in.env.Out, "%d images: %d missing, %d could not be looked at\n", len(images), missing, failed); err != nil {
			return err
		}
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d images could not be looked at", failed, len(images))
	case missing+len(unchosen) > 0:
		return violation(nil)
	}
	return nil
}
