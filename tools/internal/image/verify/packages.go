package verify

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hyperkube/hyperkube/tools/internal/debian/packagelayer"
	"github.com/hyperkube/hyperkube/versions"
)

// checkPackages checks that a layer of Debian packages has the digests of its
// descriptors, and the bytes that the pinned packages and the manifest determine. It
// returns the diffID.
func (i *inspector) checkPackages(ctx context.Context, platform versions.Platform, want versions.Layer, layer v1.Layer) (v1.Hash, error) {
	if i.packages == nil {
		return v1.Hash{}, incomplete{errors.New("missing Debian packages")}
	}
	wantDiffID, size, err := packagelayer.DiffID(ctx, *want.Packages, i.packages)
	if err != nil {
		return v1.Hash{}, incomplete{err}
	}
	diffID, err := layer.DiffID()
	if err == nil && diffID.String() != wantDiffID {
		err = fmt.Errorf("want diffID %s of %d packages, got %s", wantDiffID, len(want.Packages.Pins()), diffID)
	}
	if err != nil {
		return diffID, err
	}
	last := want.Packages.Sets[len(want.Packages.Sets)-1]
	i.findings = append(i.findings, Finding{platform, "/", fmt.Sprintf("%d Debian packages of the set %s", len(last.Packages), last.Name)})
	return checkBlob(ctx, layer, size, nil)
}
