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

// Layout lists the phases of a version's release in order.
type Layout struct{ Phases []Phase }

// Phase is a part of the release that has one build date.
type Phase struct {
	Name    string   // "server", "node", "client"
	Targets []string // of make: "cmd/kubectl"
}

// Find returns the phase and the target of a binary. If several phases build
// it, the last one counts, because it overwrites the output of the others.
func (l Layout) Find(binary string) (phase, target string, err error) {
	for _, p := range slices.Backward(l.Phases) {
		for _, t := range p.Targets {
			if path.Base(t) == binary {
				return p.Name, t, nil
			}
		}
	}
	return "", "", fmt.Errorf("the release of this version has no target %q", binary)
}

var crossPhase = regexp.MustCompile(`(?m)^make all WHAT="\$\{KUBE_([A-Z_]+)_TARGETS\[\*\]\}"`)

// parseCross returns the phases of hack/make-rules/cross.sh in order, without
// those that build tests.
func parseCross(script string) ([]string, error) {
	var phases []string
	for _, m := range crossPhase.FindAllStringSubmatch(script, -1) {
		if !strings.Contains(m[1], "TEST") {
			phases = append(phases, m[1])
		}
	}
	if len(phases) == 0 {
		return nil, errors.New("reading the phases of the release: no line `make all WHAT=\"${KUBE_…_TARGETS[*]}\"` in hack/make-rules/cross.sh")
	}
	return phases, nil
}

// parseLayout parses lists of a phase and its targets. Each word ends with a
// NUL byte, each list with an empty word.
func parseLayout(out []byte) (Layout, error) {
	var l Layout
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for len(words) > 0 {
		end := slices.Index(words, "")
		if end < 2 {
			return Layout{}, fmt.Errorf("listing targets: malformed output %q", out)
		}
		l.Phases = append(l.Phases, Phase{strings.ToLower(words[0]), words[1:end]})
		words = words[end+1:]
	}
	if len(l.Phases) == 0 {
		return Layout{}, errors.New("listing targets: no output")
	}
	return l, nil
}

// shellVars are set by the shell that runs the scripts.
var shellVars = []string{"_", "OLDPWD", "SHLVL"}

// parseRecord parses the record of the go shim: for each build its directory, the
// number of its arguments, the arguments, and the environment up to an empty
// word.
func parseRecord(record []byte) ([]Build, error) {
	malformed := errors.New("parsing the recorded plan: unexpected EOF")
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
			if key, _, _ := strings.Cut(e, "="); !slices.Contains(shellVars, key) {
				b.Env = append(b.Env, e)
			}
		}
		slices.Sort(b.Env)
		words = words[end+1:]
		if len(b.Packages()) == 0 {
			return nil, fmt.Errorf("parsing the recorded plan: no package in go %q", b.Args)
		}
		builds = append(builds, b)
	}
	if len(builds) == 0 {
		return nil, errors.New("parsing the recorded plan: no build")
	}
	return builds, nil
}
