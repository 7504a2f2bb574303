package alternatives

import (
	"errors"
	"strings"
)

// group is a group of alternatives.
type group struct {
	slaves []string // names
	// choices has, by path, the targets of the slaves; "" for none.
	choices map[string][]string
	rest    string // the database without its first line, the status
}

// parse reads the database of a group: its status, its link, name and link of each
// slave, an empty line; for each choice its path, priority, and the target of each
// slave; an empty line.
func parse(database string) (group, error) {
	g := group{choices: map[string][]string{}}
	_, g.rest, _ = strings.Cut(database, "\n")
	_, rest, ok := strings.Cut(g.rest, "\n") // without the link
	next := func() string {
		var line string
		if ok {
			line, rest, ok = strings.Cut(rest, "\n")
		}
		return line
	}
	for slave := next(); slave != ""; slave = next() {
		next() // its link
		g.slaves = append(g.slaves, slave)
	}
	for path := next(); path != ""; path = next() {
		next() // priority
		targets := make([]string, len(g.slaves))
		for i := range targets {
			targets[i] = next()
		}
		g.choices[path] = targets
	}
	if !ok {
		return group{}, errors.New("unexpected EOF")
	}
	return g, nil
}
