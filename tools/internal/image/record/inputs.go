package record

import (
	"errors"
	"fmt"

	"github.com/hyperkube/hyperkube/versions"
)

// CheckInputs returns an error for each image of the catalog whose inputs differ
// from the recorded ones: a build would produce another image for a recorded tag.
// The error names the fix.
func (r Records) CheckInputs(c *versions.Catalog) error {
	var errs []error
	for _, image := range c.Images {
		recorded, ok := r[image.Name()]
		if !ok || recorded.Inputs == image.InputHash().String() {
			continue
		}
		f := image.Flavor
		fix := "revert the change: the tag pattern has neither {iteration} nor {-iteration}"
		if versions.HasIteration(f.Tag) {
			fix = fmt.Sprintf("raise the iteration: - {version: %s, iterations: {%s: %d}}", image.Version, f.Name, image.Iteration+1)
		}
		errs = append(errs, fmt.Errorf("%s: the inputs of %s (flavor %q) differ from those recorded in %s. Fix: %s",
			versions.ManifestFile, image.Name(), f.Name, File, fix))
	}
	return errors.Join(errs...)
}
