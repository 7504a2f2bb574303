package versions

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// InputHash returns a hash of everything that determines an image's digest, except the
// code that builds it.
func (i Image) InputHash() Digest {
	h := sha256.New()
	f := i.Flavor
	fmt.Fprintf(h, "entrypoint %q cmd %q user %q workdir %q\n", f.Entrypoint, f.Cmd, f.User, f.WorkingDir)
	fmt.Fprintf(h, "env %q labels %q\n", f.Env, i.Labels)
	for _, b := range i.Builds {
		fmt.Fprintf(h, "platform %q\n", b.Platform)
		if b.Base != (BasePin{}) {
			fmt.Fprintf(h, "base %s\n", b.Base.SHA256)
		}
		for _, l := range b.Layers {
			l.writeInputs(h)
		}
	}
	return NewDigest([sha256.Size]byte(h.Sum(nil)))
}

func (l Layer) writeInputs(h hash.Hash) {
	fmt.Fprintf(h, "layer %q %q\n", l.Label(), l.Compression)
	if l.Packages != nil {
		fmt.Fprintf(h, "packages %s\n", l.Packages.inputs)
		return
	}
	if l.Pinned != nil {
		fmt.Fprintf(h, "pins %q %04o\n", l.Path, l.Mode)
		for _, p := range l.Pinned {
			fmt.Fprintf(h, "%s %s\n", p.Pin.FileKey, p.Pin.SHA256)
		}
		return
	}
	if len(l.Symlinks) > 0 {
		fmt.Fprintf(h, "symlinks %q\n", l.Symlinks)
		return
	}
	fmt.Fprintf(h, "file %q %04o %s\n", l.Path, l.Mode, l.Pin.SHA256)
}

// hash returns a hash of everything that determines the layer's digest: not of the
// paths of packages in archives.
func (l *PackageLayer) hash() Digest {
	c := *l
	c.Sets = slices.Clone(l.Sets)
	for i := range c.Sets {
		pins := slices.Clone(c.Sets[i].Packages)
		for j := range pins {
			pins[j].Archive, pins[j].Path = "", ""
		}
		c.Sets[i].Packages = pins
	}
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // cannot fail for strings and numbers
	}
	return NewDigest(sha256.Sum256(raw))
}

// contentTag returns a hash of the contents of an image's files, without their
// paths, and of its base images. The file of pins is derived from the others.
func contentTag(builds []Build) string {
	h := sha256.New()
	for _, b := range builds {
		var sums []string
		for _, l := range b.Layers {
			switch {
			case l.Packages != nil:
				sums = append(sums, "packages "+l.Packages.inputs.String())
			case l.Pin != (Pin{}):
				sums = append(sums, l.Pin.SHA256.String())
			}
		}
		slices.Sort(sums)
		if b.Base != (BasePin{}) {
			sums = append(sums, "on "+b.Base.SHA256.String())
		}
		fmt.Fprintf(h, "%s %s\n", b.Platform, strings.Join(sums, " "))
	}
	return fmt.Sprintf("files-%x", h.Sum(nil))
}
