package rebuild

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/versions"
)

// Status is the status of a job that is done.
type Status string

// Statuses of jobs.
const (
	Matched     Status = results.Matched
	Stored      Status = "stored" // in the store before; not built
	Differs     Status = results.Differs
	Unbuildable Status = results.Unbuildable
)

// Outcome is the outcome of a job.
type Outcome struct {
	Job
	Status  Status          `json:"status"`
	Got     versions.Digest `json:"got,omitzero"`     // of the built binary
	Path    string          `json:"path,omitempty"`   // of a binary that differs
	Reason  string          `json:"reason,omitempty"` // why the job is unbuildable
	Failure `json:"-"`
	Build   results.Build `json:"-"`
}

func (o Outcome) String() string {
	switch o.Status {
	case Matched, Stored:
		return fmt.Sprintf("%s: %s, sha256 %s", o.Job, o.Status, o.Want)
	case Differs:
		return fmt.Sprintf("%s: %s, want sha256 %s, got %s in %q", o.Job, o.Status, o.Want, o.Got, o.Path)
	}
	return fmt.Sprintf("%s: %s: %s", o.Job, o.Status, o.Reason)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Results returns the results to record. Transient failures and binaries that
// were in the store are no results.
func Results(outcomes ...Outcome) []results.Result {
	var all []results.Result
	for _, o := range outcomes {
		if o.Status == Stored || o.Transient {
			continue
		}
		all = append(all, results.Result{
			Key: o.Key, Outcome: string(o.Status), SHA256: o.Got, Reason: o.Reason, MissingDate: o.MissingDate,
			Build: o.Build,
		})
	}
	return all
}

// Verdict returns an error with [cli.ExitDrift] if a binary differs, else one
// with [cli.ExitFailed] if a binary was not built.
func Verdict(outcomes []Outcome) error {
	var differing, failed []string
	for _, o := range outcomes {
		switch o.Status {
		case Differs:
			differing = append(differing, o.Job.String())
		case Unbuildable:
			failed = append(failed, o.Job.String())
		}
	}
	switch {
	case len(differing) > 0:
		return cli.Exit(cli.ExitDrift, fmt.Errorf("not equal to the official binaries: %s", strings.Join(differing, ", ")))
	case len(failed) > 0:
		return errors.New("not built: " + strings.Join(failed, ", "))
	}
	return nil
}

// Failure classifies why a job is unbuildable.
type Failure struct {
	// Transient failures may not occur another time or on another machine, so
	// they are not recorded.
	Transient bool
	// MissingDate is the phase whose build date is unknown, or "".
	MissingDate string
}

// isTransient reports whether the error of a command may not occur again: a
// signal ended it, or its output says that the machine lacks a resource.
func isTransient(err error) bool {
	var exit *exec.ExitError
	return !errors.As(err, &exit) || !exit.Exited() || lackOfResources.MatchString(err.Error())
}

var lackOfResources = regexp.MustCompile(`signal: |no space left on device|[Oo]ut of memory|cannot allocate memory|too many open files`)
