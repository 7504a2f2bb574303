package lint

import "github.com/hyperkube/hyperkube/imagevector"

// Report is the result of [Run].
type Report struct {
	Generation imagevector.Generation // never Auto
	// Problems that strict reading finds in the files, and Gardener accepts.
	VectorProblems, OverwriteProblems imagevector.Problems
	Entries                           []Entry  // of the overwrite, in its order
	Public                            []Public // by registry and name
}

// Entry is the result for an entry of the overwrite.
type Entry struct {
	Index   int                // in the overwrite
	Source  imagevector.Source // as read
	Verdict Verdict
	// Effects are the lookups whose image the entry changes.
	Effects []Effect
	// Losses are the lookups that the entry matches, but that choose an entry which
	// the overwrite does not change.
	Losses []Loss
	// Reasons say why the entry is not or partly effective.
	Reasons []string
	// Fix are entries to write instead, which have the intended effect, in the
	// generation of the report.
	Fix []imagevector.Source
}

// Verdict is the summary of an entry.
type Verdict string

const (
	// Effective entries change the images of all lookups that they match.
	Effective Verdict = "effective"
	// Partial entries are added to those of the vector, and change the images of some
	// lookups that they match.
	Partial Verdict = "partly effective"
	// Elsewhere is the verdict of entries that are effective only for versions or
	// architectures that are not in use.
	Elsewhere Verdict = "effective elsewhere"
	// Ineffective entries change no image.
	Ineffective Verdict = "no effect"
)

// Effect is a set of lookups in one mode for one architecture.
type Effect struct {
	Mode         imagevector.LookupMode
	Architecture string
	// Versions are the runtime versions, or the target versions if the mode has no
	// runtime version; empty if it has neither.
	Versions imagevector.Versions
}

// Loss is a set of lookups, with the same runtime and target version, that choose
// another entry.
type Loss struct {
	Versions      imagevector.Versions
	Architectures []string
	To            imagevector.Source // the entry that is chosen
	index         int                // in the merged vector
}

// Clean reports whether the overwrite has no problem and every entry is effective.
// It disregards public registries.
func (r *Report) Clean() bool {
	return len(r.OverwriteProblems) == 0 && r.Effective() == len(r.Entries)
}

// Effective returns the number of entries that are effective, here or elsewhere.
func (r *Report) Effective() int {
	n := 0
	for _, e := range r.Entries {
		if e.Verdict == Effective || e.Verdict == Elsewhere {
			n++
		}
	}
	return n
}
