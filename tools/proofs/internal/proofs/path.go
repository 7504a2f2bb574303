// Package proofs keeps the proofs of the lock's files in versions/proofs, and verifies
// them.
//
// The directory of a version is like upstream's at https://dl.k8s.io/release. A Sigstore
// bundle takes the place of a signature and its certificate:
//
//	versions/proofs/v1.36.0/bin/linux/amd64/kubelet.sigstore.json
//	versions/proofs/v1.36.0/kubernetes-release.spdx
//	versions/proofs/v1.36.0/kubernetes-release.spdx.sigstore.json
//
// The last one proves all files that the SPDX document lists.
package proofs

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/hyperkube/hyperkube/tools/internal/ctxio"
	"github.com/hyperkube/hyperkube/versions"
)

// Dir is the directory of the proofs, PolicyFile the policy, and RootFile the trusted
// root.
const (
	Dir        = "versions/proofs"
	PolicyFile = Dir + "/policy.yaml"
	RootFile   = Dir + "/trusted_root.json"
)

// Document is the path of the SPDX document in the directory of a version.
const Document = "kubernetes-release.spdx"

// Suffix is that of bundles.
const Suffix = ".sigstore.json"

// MaxConfig is the maximum size of the policy and of the trusted root in bytes.
const MaxConfig = 4 << 20

// ReleasePath returns the path of a file in the directory of its version.
func ReleasePath(key versions.FileKey) string {
	return path.Join("bin", key.Platform.OS(), key.Platform.Arch(), key.File)
}

// bundlePath returns the path of a file's bundle.
func bundlePath(key versions.FileKey) string {
	return path.Join(Dir, key.Version.String(), ReleasePath(key)+Suffix)
}

// documentPath returns the path of a version's SPDX document.
func documentPath(v versions.Version) string { return path.Join(Dir, v.String(), Document) }

// read reads a file of the repository. Data is nil if there is none.
func (s *Store) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, err := ctxio.ReadFile(ctx, filepath.Join(s.root, filepath.FromSlash(name)), limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}
