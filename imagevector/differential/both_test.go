package differential

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	gardener "github.com/gardener/gardener/pkg/utils/imagevector"

	"github.com/hyperkube/hyperkube/imagevector"
)

// lookup has the options of a lookup in both libraries; nil for an absent option.
type lookup struct {
	name                  string
	runtime, target, arch *string
}

func (l lookup) String() string {
	return fmt.Sprintf("lookup of %q for %s, %s, %s", l.name, show(l.runtime), show(l.target), show(l.arch))
}

func show(s *string) string {
	if s == nil {
		return "nil"
	}
	return fmt.Sprintf("%q", *s)
}

// showImage formats an image unambiguously.
func showImage(name string, ref, repository, tag, version *string, text string) string {
	return fmt.Sprintf("%q ref %s repository %s tag %s version %s as %q", name, show(ref), show(repository), show(tag), show(version), text)
}

func showSource(name string, runtime, target *string, architectures []string, ref, repository, tag, version *string) string {
	list := "nil"
	if architectures != nil {
		list = fmt.Sprintf("%q", architectures)
	}
	return fmt.Sprintf("%q runtime %s target %s for %s ref %s repository %s tag %s version %s",
		name, show(runtime), show(target), list, show(ref), show(repository), show(tag), show(version))
}

// Each of these functions returns the result of one library as text, for comparison.

func gardenerFinds(v gardener.ImageVector, l lookup) string {
	var opts []gardener.FindOptionFunc
	if l.runtime != nil {
		opts = append(opts, gardener.RuntimeVersion(*l.runtime))
	}
	if l.target != nil {
		opts = append(opts, gardener.TargetVersion(*l.target))
	}
	if l.arch != nil {
		opts = append(opts, gardener.Architecture(*l.arch))
	}
	image, err := v.FindImage(l.name, opts...)
	if err != nil {
		return "error " + err.Error()
	}
	return showImage(image.Name, image.Ref, image.Repository, image.Tag, image.Version, image.String())
}

func ourFinds(v *imagevector.Vector, l lookup) string {
	var opts []imagevector.FindOption
	if l.runtime != nil {
		opts = append(opts, imagevector.RuntimeVersion(*l.runtime))
	}
	if l.target != nil {
		opts = append(opts, imagevector.TargetVersion(*l.target))
	}
	if l.arch != nil {
		opts = append(opts, imagevector.Architecture(*l.arch))
	}
	image, err := v.Find(l.name, opts...)
	if err != nil {
		return "error " + err.Error()
	}
	return showImage(image.Name, image.Ref, image.Repository, image.Tag, image.Version, image.String())
}

func gardenerSources(v gardener.ImageVector, ca *gardener.CABundle) string {
	var b strings.Builder
	for _, s := range v {
		b.WriteString(showSource(s.Name, s.RuntimeVersion, s.TargetVersion, s.Architectures, s.Ref, s.Repository, s.Tag, s.Version) + "\n")
	}
	if ca != nil {
		b.WriteString("ca " + show(ca.Inline))
	}
	return b.String()
}

func ourSources(sources []imagevector.Source, ca *imagevector.CABundle) string {
	var b strings.Builder
	for _, s := range sources {
		b.WriteString(showSource(s.Name, s.RuntimeVersion, s.TargetVersion, s.Architectures, s.Ref, s.Repository, s.Tag, s.Version) + "\n")
	}
	if ca != nil {
		b.WriteString("ca " + show(ca.Inline))
	}
	return b.String()
}

// gardenerReads returns the result of Gardener for a text; panicked reports a panic.
func gardenerReads(text []byte) (said string, v gardener.ImageVector, panicked bool) {
	defer func() {
		if recover() != nil {
			said, panicked = "panic", true
		}
	}()
	v, ca, err := gardener.Read(text)
	if err != nil {
		return "error " + err.Error(), nil, false
	}
	return gardenerSources(v, ca), v, false
}

// tooMuch is the result of this library for a text above its limits, which Gardener
// does not have.
const tooMuch = "beyond the limits"

func ourReads(text []byte) (string, *imagevector.Vector) {
	v, err := imagevector.Parse(text, imagevector.Compatible())
	if limit := (*imagevector.LimitError)(nil); errors.As(err, &limit) {
		return tooMuch, nil
	}
	if err != nil {
		return "error " + err.Error(), nil
	}
	return ourSources(v.Sources(), v.CABundle()), v
}

// sameReading reads a text with both libraries and reports a difference. If Gardener
// panics, this library must return an error.
func sameReading(t *testing.T, text []byte) (gardener.ImageVector, *imagevector.Vector) {
	t.Helper()
	want, theirs, panicked := gardenerReads(text)
	got, ours := ourReads(text)
	if got == tooMuch {
		return nil, nil
	}
	if panicked {
		if ours != nil {
			t.Errorf("text %q: Gardener crashes, ours reads %s", text, got)
		}
		return nil, nil
	}
	if got != want {
		t.Errorf("text %q:\n ours     %s\n Gardener %s", text, got, want)
	}
	return theirs, ours
}

// toGardener converts sources to those of Gardener.
func toGardener(sources []imagevector.Source) gardener.ImageVector {
	var v gardener.ImageVector
	for _, s := range sources {
		v = append(v, &gardener.ImageSource{
			Name: s.Name, RuntimeVersion: s.RuntimeVersion, TargetVersion: s.TargetVersion, Architectures: s.Architectures,
			Ref: s.Ref, Repository: s.Repository, Tag: s.Tag, Version: s.Version,
		})
	}
	return v
}

func ptr(s string) *string { return &s }
