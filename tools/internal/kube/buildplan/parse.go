package buildplan

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Layout says which phase of a version's release builds what.
type Layout struct{ Phases []Phase }

// Phase is a part of the release that has one build date: "server", "node",
// "client".
type Phase struct {
	Name    string
	Targets []string // as the scripts name them: "cmd/kubectl"
}

// Find returns the phase and the target of a binary. Where several phases
// build one, the last wins: it overwrites what the others left.
func (l Layout) Find(binary string) (phase, target string, err error) {
	for _, p := range slices.Backward(l.Phases) {
		for _, t := range p.Targets {
			if path.Base(t) == binary {
				return p.Name, t, nil
			}
		}
	}
	return "", "", fmt.Errorf("this version's release builds no %q", binary)
}

// Binaries lists the binaries whose phase is the named one.
func (l Layout) Binaries(phase string) []string {
	var names []string
	for _, p := range l.Phases {
		for _, t := range p.Targets {
			if last, _, err := l.Find(path.Base(t)); err == nil && last == phase && !slices.Contains(names, path.Base(t)) {
				names = append(names, path.Base(t))
			}
		}
	}
	return names
}

var crossPhase = regexp.MustCompile(`(?m)^make all WHAT="\$\{KUBE_([A-Z_]+)_TARGETS\[\*\]\}"`)

// parseCross reads the phases of hack/make-rules/cross.sh, in their order,
// without those that build tests.
func parseCross(script string) ([]string, error) {
	var phases []string
	for _, m := range crossPhase.FindAllStringSubmatch(script, -1) {
		if !strings.Contains(m[1], "TEST") {
			phases = append(phases, m[1])
		}
	}
	if len(phases) == 0 {
		return nil, errors.New("reading hack/make-rules/cross.sh: it has no line `make all WHAT=\"${KUBE_…_TARGETS[*]}\"` to learn the phases from")
	}
	return phases, nil
}

// parseLayout reads lists of a phase and its targets, each ended by an empty
// word; every word ends with a NUL.
func parseLayout(out []byte) (Layout, error) {
	var l Layout
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for len(words) > 0 {
		end := slices.Index(words, "")
		if end < 2 {
			return Layout{}, fmt.Errorf("asking the tree's scripts for their targets: got %q", out)
		}
		l.Phases = append(l.Phases, Phase{strings.ToLower(words[0]), words[1:end]})
		words = words[end+1:]
	}
	if len(l.Phases) == 0 {
		return Layout{}, errors.New("asking the tree's scripts for their targets: got none")
	}
	return l, nil
}

// noise are variables of the shell that ran the scripts.
var noise = []string{"_", "OLDPWD", "SHLVL"}

// parseRecord reads what the recording go wrote: for each build its folder,
// the number of its arguments, these, and the environment up to an empty word.
func parseRecord(record []byte) ([]Build, error) {
	malformed := errors.New("reading the plan: it is cut short")
	words := strings.Split(strings.TrimSuffix(string(record), "\x00"), "\x00")
	var builds []Build
	for len(words) > 0 {
		if len(words) < 3 {
			return nil, malformed
		}
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 1 || len(words) < 2+n {
			return nil, malformed
		}
		b := Build{Dir: words[0], Args: words[2 : 2+n]}
		words = words[2+n:]
		end := slices.Index(words, "")
		if end < 0 {
			return nil, malformed
		}
		for _, e := range words[:end] {
			if key, _, _ := strings.Cut(e, "="); !slices.Contains(noise, key) {
				b.Env = append(b.Env, e)
			}
		}
		slices.Sort(b.Env)
		words = words[end+1:]
		if len(b.Packages()) == 0 {
			return nil, fmt.Errorf("reading the plan: go %q names no package", b.Args)
		}
		builds = append(builds, b)
	}
	if len(builds) == 0 {
		return nil, errors.New("reading the plan: there is no build in it")
	}
	return builds, nil
}
