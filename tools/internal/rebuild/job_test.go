package rebuild_test

import (
	"io"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/versions"
)

func TestJobs(t *testing.T) {
	catalog, err := versions.Load()
	if err != nil {
		t.Fatal(err)
	}
	v := must(versions.ParseVersion("v1.36.0"))(t)
	names := func(binaries ...string) (string, error) {
		jobs, err := rebuild.Jobs(catalog, v, binaries, []versions.Platform{platform("linux/amd64"), platform("linux/arm64")})
		var all []string
		for _, j := range jobs {
			all = append(all, j.Binary+"/"+j.Platform.Arch())
		}
		return strings.Join(all, " "), err
	}
	if got, err := names("kubectl", "kubectl"); err != nil || got != "kubectl/amd64 kubectl/arm64" {
		t.Errorf("kubectl: %q, %v", got, err)
	}
	if got, err := names(); err != nil || !strings.Contains(got, "kubectl/amd64") || !strings.Contains(got, "kubelet/arm64") {
		t.Errorf("those of the flavors: %q, %v", got, err)
	}
	if got, err := names(rebuild.All); err != nil || strings.Count(got, " ") != 23 {
		t.Errorf("all: %q, %v, want 12 binaries for 2 platforms", got, err)
	}
	if _, err := names("kubectl", "sleep"); cli.Code("", io.Discard, err) != cli.ExitUsage {
		t.Errorf("unknown binary: error %v, want a usage error", err)
	}
	v = must(versions.ParseVersion("v9.9.9"))(t)
	if _, err := names("kubectl"); err == nil {
		t.Error("unknown version: no error")
	}
}

func TestVerdict(t *testing.T) {
	for code, outcomes := range map[int][]rebuild.Outcome{
		0:              {{Status: rebuild.Matched}, {Status: rebuild.Stored}},
		cli.ExitFailed: {{Status: rebuild.Matched}, {Status: rebuild.Unbuildable}},
		cli.ExitDrift:  {{Status: rebuild.Unbuildable}, {Status: rebuild.Differs}},
	} {
		if got := cli.Code("", io.Discard, rebuild.Verdict(outcomes)); got != code {
			t.Errorf("exit %d for %v, want %d", got, outcomes, code)
		}
	}
}

func TestResults(t *testing.T) {
	j := job("kubectl", noDigest)
	got := rebuild.Results(
		rebuild.Outcome{Job: j, Status: rebuild.Stored},
		rebuild.Outcome{Job: j, Status: rebuild.Unbuildable, Reason: "r", Failure: rebuild.Failure{Transient: true}},
		rebuild.Outcome{Job: j, Status: rebuild.Unbuildable, Reason: "r", Failure: rebuild.Failure{MissingDate: "node"}},
		rebuild.Outcome{Job: j, Status: rebuild.Differs, Got: noDigest},
	)
	if len(got) != 2 || got[0].Outcome != results.Unbuildable || got[0].MissingDate != "node" || got[1].Outcome != results.Differs || got[1].SHA256 != noDigest {
		t.Errorf("got %+v, want the permanent failure and the mismatch", got)
	}
}
