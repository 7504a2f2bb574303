package imagevector

import "fmt"

// A Candidate is an entry with the name of a lookup, and its score.
type Candidate struct {
	Index  int    `json:"-"` // in Sources
	Source Source `json:"source"`
	// Matches reports whether the entry matches the lookup. If not, Reason says why.
	Matches bool   `json:"matches"`
	Chosen  bool   `json:"chosen"`
	Reason  string `json:"reason,omitempty"`
	// Score is the sum of the three other scores. RuntimeScore and TargetScore are 0
	// without a constraint or a version in the lookup, 1 if the constraint is
	// satisfied, and 2 if it is also for a single version. ArchitectureScore is 2 for
	// a single architecture and 1 otherwise.
	Score             int `json:"score"`
	RuntimeScore      int `json:"runtimeScore"`
	TargetScore       int `json:"targetScore"`
	ArchitectureScore int `json:"architectureScore"`
}

// Explain returns all entries of a name with their scores in a lookup. The error is
// that of [Vector.Find], except that a lookup without match is no error.
func (v *Vector) Explain(name string, opts ...FindOption) ([]Candidate, error) {
	var q query
	q.apply(opts)
	best, err := v.choose(name, &q)
	if err != nil {
		return nil, v.addQuery(name, &q, err)
	}
	group := v.byName[name]
	candidates := make([]Candidate, len(group))
	for i := range group {
		e := &group[i]
		c := Candidate{Index: e.index, Source: e.source.clone(), Matches: true, Chosen: e == best}
		c.RuntimeScore = c.score("runtime", &q.runtime, e.source.RuntimeVersion, &e.runtime)
		c.TargetScore = c.score("target", &q.target, e.source.TargetVersion, &e.target)
		if c.Matches && !e.architectures.has(q.architecture()) {
			c.Matches, c.Reason = false, fmt.Sprintf("architecture %q is not one of %q", q.architecture(), e.source.Architectures)
		}
		if c.Matches {
			c.ArchitectureScore = int(e.architectures.score)
			c.Score = c.RuntimeScore + c.TargetScore + c.ArchitectureScore
		}
		candidates[i] = c
	}
	return candidates, nil
}

// score returns the score of one constraint.
func (c *Candidate) score(kind string, v *version, text *string, compiled *constraint) int {
	if !c.Matches || !v.given || text == nil {
		return 0
	}
	if ok, err := v.satisfies(compiled); err != nil || !ok {
		c.Matches, c.Reason = false, fmt.Sprintf("%s version %q does not satisfy %q", kind, v.text, *text)
		return 0
	}
	return int(compiled.score)
}
