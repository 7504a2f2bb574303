package imagevector

import "fmt"

// A Candidate is an entry of the name that was looked up, and how it fared.
type Candidate struct {
	Index  int // in Sources
	Source Source
	// Matches tells whether the entry may be chosen; Why, if not, why not.
	Matches bool
	Reason  string
	// The score is the sum of three: 0 without a constraint or without a version
	// looked up, 1 for a constraint that is met, 2 if it names one version; 1 for
	// several architectures, 2 for one.
	Score, RuntimeScore, TargetScore, ArchitectureScore int
	Chosen                                              bool
}

// Explain returns all entries of a name and how each fared in a look-up. The
// error is that of [Vector.Find], unless nothing was found.
func (v *Vector) Explain(name string, opts ...FindOption) ([]Candidate, error) {
	var q query
	q.apply(opts)
	best, err := v.choose(name, &q)
	if err != nil {
		return nil, v.failed(name, &q, err)
	}
	group := v.byName[name]
	candidates := make([]Candidate, len(group))
	for i := range group {
		e := &group[i]
		c := Candidate{Index: e.index, Source: e.source.clone(), Matches: true, Chosen: e == best}
		c.RuntimeScore = c.judge("runtime", &q.runtime, e.source.RuntimeVersion, &e.runtime)
		c.TargetScore = c.judge("target", &q.target, e.source.TargetVersion, &e.target)
		if c.Matches && !e.architectures.has(q.wanted()) {
			c.Matches, c.Reason = false, fmt.Sprintf("architecture %q is not one of %q", q.wanted(), e.source.Architectures)
		}
		if c.Matches {
			c.ArchitectureScore = int(e.architectures.score)
			c.Score = c.RuntimeScore + c.TargetScore + c.ArchitectureScore
		}
		candidates[i] = c
	}
	return candidates, nil
}

// judge returns the score of one constraint.
func (c *Candidate) judge(what string, d *demand, text *string, demanded *constraint) int {
	if !c.Matches || !d.given || text == nil {
		return 0
	}
	if met, err := d.meets(demanded); err != nil || !met {
		c.Matches, c.Reason = false, fmt.Sprintf("%s version %q does not meet %q", what, d.text, *text)
		return 0
	}
	return int(demanded.score)
}
