package lint

import (
	"slices"

	"github.com/hyperkube/hyperkube/imagevector"
)

// Report is what was found.
type Report struct {
	Generation imagevector.Generation // never Auto
	// What strict reading finds wrong with the files. Gardener accepts it all.
	VectorProblems, OverwriteProblems imagevector.Problems
	Entries                           []Entry  // of the overwrite, in its order
	Public                            []Public // by registry and name
}

// Entry is an entry of the overwrite.
type Entry struct {
	Index   int                // in the overwrite
	Source  imagevector.Source // as read
	Verdict Verdict
	// Effects are where it changes what is pulled.
	Effects []Effect
	// Lost are where it matches, and yet an entry is chosen that the overwrite does
	// not touch.
	Losses []Loss
	// Why it has no effect, or one in part, in sentences.
	Reasons []string
	// Fix are entries that would have the effect that this one was meant to have, as
	// a file of the report's generation has them.
	Fix []imagevector.Source
}

// Verdict sums an entry up.
type Verdict string

const (
	// Effective entries change what is pulled wherever they are meant to.
	Effective Verdict = "effective"
	// Partial effective entries are added beside those of the vector, and lose to
	// some of them.
	Partial Verdict = "partly effective"
	// Elsewhere are entries for none of the versions, or none of the architectures,
	// that matter; they take effect for others.
	Elsewhere Verdict = "effective elsewhere"
	// Ineffective entries change nothing.
	Ineffective Verdict = "no effect"
)

// Effect is look-ups of one shape, for one architecture.
type Effect struct {
	Mode         imagevector.LookupMode
	Architecture string
	// Versions looked up: runtime versions, or target versions where the shape has
	// no others; empty where it has none.
	Versions imagevector.Versions
}

// Loss is where another entry is chosen, one version being runtime and target
// version.
type Loss struct {
	Versions      imagevector.Versions
	Architectures []string
	To            imagevector.Source // the entry that is chosen
	index         int                // in the merged vector
}

// Clean tells whether nothing is wrong with the overwrite; that public registries
// remain does not count here.
func (r *Report) Clean() bool {
	return len(r.OverwriteProblems) == 0 && !slices.ContainsFunc(r.Entries, func(e Entry) bool { return e.Verdict == Partial || e.Verdict == Ineffective })
}
