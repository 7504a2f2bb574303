package versions

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// Inputs is a hash of all that decides an image's digest: two images with the
// same inputs are the same, as far as one can tell without building them.
func (i Image) Inputs() Digest {
	h := sha256.New()
	f := i.Flavor
	fmt.Fprintf(h, "entrypoint %q cmd %q user %q workdir %q\n", f.Entrypoint, f.Cmd, f.User, f.WorkingDir)
	fmt.Fprintf(h, "env %q labels %q\n", f.Env, i.Labels)
	for _, b := range i.Builds {
		fmt.Fprintf(h, "platform %q\n", b.Platform)
		for _, l := range b.Layers {
			l.inputs(h)
		}
	}
	return Digest{fmt.Sprintf("%x", h.Sum(nil))}
}

func (l Layer) inputs(h hash.Hash) {
	fmt.Fprintf(h, "layer %q %q\n", l.Label(), l.Compression)
	if len(l.Symlinks) > 0 {
		fmt.Fprintf(h, "symlinks %q\n", l.Symlinks)
		return
	}
	fmt.Fprintf(h, "file %q %04o %s\n", l.Path, l.Mode, l.Pin.SHA256)
}
