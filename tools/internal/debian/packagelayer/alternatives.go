package packagelayer

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

const (
	alternativeLinks    = "/etc/alternatives"
	alternativeDatabase = "/var/lib/dpkg/alternatives"
)

// addAlternative adds the links of a group of alternatives, and its file in the
// database of update-alternatives.
func (t *tree) addAlternative(a versions.Alternative, owner string, set int) error {
	i := slices.IndexFunc(a.Choices, func(c versions.AlternativeChoice) bool { return c.Path == a.Choose })
	if i < 0 {
		return fmt.Errorf("alternative %s: want one of the choices, got %q", a.Name, a.Choose)
	}
	links := []versions.AlternativeSlave{{Name: a.Name, Link: a.Link}}
	targets := []string{a.Choose}
	for _, s := range a.Slaves {
		if target, ok := a.Choices[i].Slaves[s.Name]; ok {
			links, targets = append(links, s), append(targets, target)
		}
	}
	var errs []error
	for i, l := range links {
		middle := path.Join(alternativeLinks, l.Name)
		errs = append(errs, t.addSymlink(l.Link, middle, owner, set), t.addSymlink(middle, targets[i], owner, set))
	}
	text, err := renderAlternative(a)
	errs = append(errs, err, t.addText(path.Join(alternativeDatabase, a.Name), text, 0o644, owner, set))
	return errors.Join(errs...)
}

// renderAlternative returns the file of a group as update-alternatives writes it:
// mode and link; name and link of each slave, and an empty line; path, priority and
// slaves of each choice, and an empty line.
func renderAlternative(a versions.Alternative) (string, error) {
	slaves := slices.SortedFunc(slices.Values(a.Slaves), func(x, y versions.AlternativeSlave) int { return strings.Compare(x.Name, y.Name) })
	choices := slices.SortedFunc(slices.Values(a.Choices), func(x, y versions.AlternativeChoice) int { return strings.Compare(x.Path, y.Path) })
	// The mode is auto if the chosen one has the highest priority.
	best := slices.MaxFunc(choices, func(x, y versions.AlternativeChoice) int { return x.Priority - y.Priority })
	lines := []string{"auto", a.Link}
	if best.Path != a.Choose {
		lines[0] = "manual"
	}
	for _, s := range slaves {
		lines = append(lines, s.Name, s.Link)
	}
	lines = append(lines, "")
	for _, c := range choices {
		lines = append(lines, c.Path, fmt.Sprint(c.Priority))
		for _, s := range slaves {
			lines = append(lines, c.Slaves[s.Name])
		}
		for name := range c.Slaves {
			if !slices.ContainsFunc(slaves, func(s versions.AlternativeSlave) bool { return s.Name == name }) {
				return "", fmt.Errorf("alternative %s: choice %s has %q, which is not among the slaves", a.Name, c.Path, name)
			}
		}
	}
	lines = append(lines, "")
	for _, line := range lines {
		if strings.ContainsRune(line, '\n') {
			return "", fmt.Errorf("alternative %s: %q contains a newline", a.Name, line)
		}
	}
	return strings.Join(lines, "\n") + "\n", nil
}
