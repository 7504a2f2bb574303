// Package imagevector reads, validates, selects from, overwrites and writes the
// image vectors of Gardener and of systems like it.
//
// An image vector lists images by name. An entry may be limited to versions of
// the Kubernetes cluster that the image runs on (runtimeVersion) or works for
// (targetVersion), and to architectures of machines. A look-up gives a name, the
// versions and the architecture, and the entry that matches most closely is
// chosen; see [Vector.Find].
//
// Operators overwrite entries, to pull from registries of their own. An overwrite
// is merged into an entry only if it repeats the entry's name, constraints and
// architectures letter by letter; see [Merge]. Package lint finds those that do
// not and so have no effect.
//
// There are two readings. The strict one is the default, and refuses what Gardener
// accepts in silence: unknown and duplicate keys, numbers that lose digits,
// entries that are never chosen, and more, all at once, with line and column. The
// compatible one does what Gardener does, quirks and error texts included, and
// differs only where Gardener would crash or exhaust the memory. What strict
// reading accepts, compatible reading reads the same.
//
// Selection and merging are Gardener's in both. The package imports nothing but
// semver, YAML and the standard library.
package imagevector
