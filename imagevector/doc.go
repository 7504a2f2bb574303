// Package imagevector reads, validates, queries, overwrites and writes the image
// vectors of Gardener and compatible systems.
//
// An image vector lists images by name. An entry may be limited to versions of
// the Kubernetes cluster that the image runs on (runtimeVersion) or works for
// (targetVersion), and to machine architectures. A lookup has a name, versions
// and an architecture, and chooses the most specific entry that matches; see
// [Vector.Find].
//
// Operators overwrite entries to pull from their own registries. An entry of an
// overwrite is merged into an entry of the vector only if name, constraints and
// architectures are equal as text; see [Merge]. Package lint finds entries that
// are not merged and have no effect.
//
// Files are read in one of two modes. Strict reading, the default, rejects what
// Gardener silently accepts: unknown and duplicate keys, numbers that lose digits,
// entries that are never chosen, and more. It reports all problems at once, with
// line and column. Compatible reading behaves as Gardener, including error texts,
// and differs only where Gardener would panic or exhaust memory. A file that
// strict reading accepts has the same meaning in compatible reading.
//
// Selection and merging are those of Gardener in both modes. The package depends
// on semver, YAML and the standard library only.
package imagevector
