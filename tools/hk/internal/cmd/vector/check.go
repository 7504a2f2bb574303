package vector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/image/registry"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/redact"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// checkResult is an image that some lookup chooses, and its state in the registry.
type checkResult struct {
	Image         string   `json:"image"`
	Names         []string `json:"names"`         // in the vector
	Architectures []string `json:"architectures"` // that need it
	// VersionIsTag reports that the vector has no tag for the image.
	VersionIsTag bool `json:"versionIsTag,omitempty"`
	// Mirror is the reference that is checked instead, if a mirror applies.
	Mirror string `json:"mirror,omitempty"`

	Digest          string   `json:"digest,omitempty"`
	Missing         []string `json:"missing,omitempty"`         // architectures
	OptionalMissing []string `json:"optionalMissing,omitempty"` // architectures of --optional-arch
	Error           string   `json:"error,omitempty"`

	// NoImageFor are the Kubernetes versions for which no image is chosen; Image is
	// then "".
	NoImageFor string `json:"noImageFor,omitempty"`
}

// checker has the flags of check.
type checker struct {
	input
	mirrors      imagevector.Rules
	tags         tagRules
	optionalArch []string
	parallel     int
	insecure     bool
}

func newCheck(env cli.Env) *cobra.Command {
	k := checker{input: input{env: env}}
	c := newCommand(cobra.Command{
		Use:   "check [NAME...]",
		Short: "Check that the images that are chosen exist in their registries",
		Example: `  hk vector check --vector images.yaml --overwrite mine.yaml --kubernetes 1.36.0
  hk vector check --vector images.yaml --kubernetes 1.33..1.36 --mirror registry.k8s.io=registry.example.com/k8s --optional-arch arm64`,
	}, cobra.ArbitraryArgs, func(c *cobra.Command, names []string) error { return k.run(c.Context(), names) })
	fs := c.Flags()
	k.vectorFlags(fs)
	k.formatFlags(fs)
	k.rangeFlags(fs, "required")
	fs.Func("mirror", "`FROM=TO`: check images with the prefix FROM at TO; repeatable, the longest FROM wins", parseRule(&k.mirrors))
	fs.Func("tag", "`NAME=TAG`: tag of an image without one whose tag is not the Kubernetes version, such as garden*=v1.149.3; repeatable, the first match wins", k.tags.add)
	fs.Func("optional-arch", "comma-separated `architectures` that may be missing", parseArchitectures(&k.optionalArch))
	fs.IntVarP(&k.parallel, "parallel", "p", 8, "`number` of images to check at a time")
	fs.BoolVar(&k.insecure, "insecure", false, "use plain HTTP for every registry, not only for localhost")
	return c
}

func (k *checker) run(ctx context.Context, names []string) error {
	if k.parallel < 1 {
		return cli.Usage("--parallel: want 1 or more, got %d", k.parallel)
	}
	if k.kubernetes == "" {
		return cli.Usage("missing --kubernetes VERSIONS")
	}
	v, err := k.loadMerged(ctx, k.vector)
	if err != nil {
		return err
	}
	if err := k.checkNames(v, names); err != nil {
		return err
	}
	if err := k.tags.checkUsed(v); err != nil {
		return err
	}
	within, err := k.versions()
	if err != nil {
		return err
	}
	images, err := k.chosen(v, names, within)
	if err != nil {
		return err
	}
	missing := k.withoutImage(v, names, within)
	if len(images)+len(missing) == 0 {
		return fmt.Errorf("checking %s: no image for Kubernetes %s", k.vector, within)
	}
	config := registry.CheckerConfig{Insecure: k.insecure}
	if ca := v.CABundle(); ca != nil && ca.Inline != nil {
		config.CAs = []byte(*ca.Inline)
	}
	client, err := registry.NewChecker(config)
	if err != nil {
		return err
	}
	var references []string
	for _, r := range images {
		references = append(references, r.Image)
	}
	k.warnUnused(k.mirrors, references)
	k.checkAll(ctx, client, images)
	if err := ctx.Err(); err != nil {
		return err
	}
	return k.print(images, missing)
}

// withoutImage returns the versions for which the vector chooses no image on any
// architecture, for names of the command line only.
func (k *checker) withoutImage(v *imagevector.Vector, names []string, within imagevector.Versions) []*checkResult {
	var list []*checkResult
	for _, name := range names {
		without := within
		for _, architecture := range k.architectures {
			var none imagevector.Versions
			for _, c := range v.Choices(name, architecture, within) {
				if c.Entry < 0 {
					none = none.Union(c.Versions)
				}
			}
			without = without.Intersect(none)
		}
		if !without.Empty() {
			list = append(list, &checkResult{Names: []string{name}, Architectures: k.architectures, NoImageFor: without.String()})
		}
	}
	return list
}

// chosen returns every image that is chosen for the versions and architectures,
// one result for each reference.
func (k *checker) chosen(v *imagevector.Vector, names []string, within imagevector.Versions) ([]*checkResult, error) {
	known, err := releases()
	if err != nil {
		return nil, err
	}
	// A version that is given by itself need not be a known release.
	for item := range strings.SplitSeq(k.kubernetes, ",") {
		named, err := imagevector.ParseVersions(item)
		if one, single := named.Single(); err == nil && single && !slices.Contains(known, "v"+one) {
			known = append(known, "v"+one)
		}
	}
	choices, err := imagevector.Compare(new(imagevector.Vector), v, within, k.architectures, imagevector.SameVersion, imagevector.TwoVersions)
	if err != nil {
		return nil, err
	}
	sources := v.Sources()
	byImage := map[string]*checkResult{}
	list := []*checkResult{}
	for _, d := range choices {
		if len(names) > 0 && !slices.Contains(names, d.Name) {
			continue
		}
		s := sources[d.After]
		tags := []string{""}
		versionIsTag := false
		if tag := k.tags.tag(d.Name); tag != "" && s.Tag == nil {
			s.Tag = &tag
		} else if s.Ref == nil && s.Tag == nil {
			// The version becomes the tag: only known releases can exist.
			versionIsTag = true
			tags = slices.DeleteFunc(slices.Clone(known), func(r string) bool { return !d.Target.Contains(r) })
			if len(tags) == 0 {
				if d.Mode == imagevector.SameVersion {
					return nil, fmt.Errorf("checking %q: its tag is the Kubernetes version, and no release is known in %v; give single versions, such as --kubernetes 1.40.0,1.40.1", d.Name, d.Target)
				}
				continue
			}
		}
		for _, version := range tags {
			image := s.ToImage(&version).String()
			r := byImage[image]
			if r == nil {
				r = &checkResult{Image: image, VersionIsTag: versionIsTag}
				byImage[image] = r
				list = append(list, r)
			}
			if !slices.Contains(r.Names, d.Name) {
				r.Names = append(r.Names, d.Name)
			}
			if !slices.Contains(r.Architectures, d.Architecture) {
				r.Architectures = append(r.Architectures, d.Architecture)
			}
		}
	}
	return list, nil
}

// checkAll checks every image in its registry and completes the results.
func (k *checker) checkAll(ctx context.Context, client *registry.Checker, images []*checkResult) {
	task := progress.New(k.env.Err, k.env.Getenv).Start("checking images", "image", int64(len(images)))
	group := errgroup.Group{}
	group.SetLimit(k.parallel)
	for _, r := range images {
		group.Go(func() error {
			defer task.Add(1)
			image := r.Image
			if moved, ok := k.mirrors.Apply(r.Image); ok {
				image, r.Mirror = moved, moved
			}
			found, err := client.Head(ctx, image, r.Architectures)
			r.Digest = found.Digest
			if err != nil && !errors.Is(err, registry.ErrNotFound) {
				r.Error = redact.URLs(err.Error())
				return nil
			}
			for _, a := range r.Architectures {
				switch {
				case slices.Contains(found.Architectures, a):
				case slices.Contains(k.optionalArch, a):
					r.OptionalMissing = append(r.OptionalMissing, a)
				default:
					r.Missing = append(r.Missing, a)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // errors are in the results
	if ctx.Err() != nil {
		task.Fail()
	} else {
		task.Done()
	}
}

// line returns a result as one line of text.
func (r *checkResult) line() string {
	line := "ok      " + r.Image
	switch {
	case r.NoImageFor != "":
		return fmt.Sprintf("missing Kubernetes %s on %s: no image [%s]", r.NoImageFor, strings.Join(r.Architectures, ", "), r.Names[0])
	case r.Error != "":
		line = "failed  " + r.Image + ": " + r.Error
	case len(r.Missing) > 0 && r.Digest == "":
		line = "missing " + r.Image + ": not found"
		if r.VersionIsTag {
			line += "; its tag is the Kubernetes version, --tag sets another"
		}
	case len(r.Missing) > 0:
		line = "missing " + r.Image + ": not for " + strings.Join(r.Missing, ", ")
	case len(r.OptionalMissing) > 0:
		line += ", but not for " + strings.Join(r.OptionalMissing, ", ")
	}
	if r.Mirror != "" {
		line += " (mirror " + r.Mirror + ")"
	}
	return line + " [" + strings.Join(r.Names, ", ") + "]"
}

func (k *checker) print(images, withoutImage []*checkResult) error {
	missing, failed := 0, 0
	for _, r := range images {
		if r.Error != "" {
			failed++
		} else if len(r.Missing) > 0 {
			missing++
		}
	}
	all := append(images, withoutImage...)
	if k.json {
		if err := printJSON(k.env.Out, all); err != nil {
			return err
		}
	} else {
		for _, r := range all {
			if _, err := fmt.Fprintln(k.env.Out, r.line()); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(k.env.Out, "%d images: %d missing, %d failed\n", len(images), missing, failed); err != nil {
			return err
		}
	}
	switch {
	case failed > 0:
		return fmt.Errorf("checking images: %d of %d failed", failed, len(images))
	case missing+len(withoutImage) > 0:
		return errViolation()
	}
	return nil
}
