package record

import (
	"errors"
	"fmt"

	"github.com/hyperkube/hyperkube/versions"
)

// Changed returns an error for each image of a catalog that would come out
// otherwise than the one on record under its tag, and says how to go on.
func (r Records) Changed(c *versions.Catalog) error {
	var errs []error
	for _, image := range c.Images {
		known, ok := r[image.Name()]
		if !ok || known.Inputs == image.Inputs().String() {
			continue
		}
		f := image.Flavor
		mend := "the tag has neither {iteration} nor {-iteration}, so it cannot change: take the change back"
		if versions.HasIteration(f.Tag) {
			mend = fmt.Sprintf("raise it to another tag: - {version: %s, iterations: {%s: %d}}", image.Version, f.Name, image.Iteration+1)
		}
		errs = append(errs, fmt.Errorf("%s: what makes flavor %q of %s has changed, but %s has that tag on record with other inputs; %s",
			versions.ManifestFile, f.Name, image.Name(), File, mend))
	}
	return errors.Join(errs...)
}
