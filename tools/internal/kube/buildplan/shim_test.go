package buildplan

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The arguments are those of the go commands 1.19, 1.21, 1.24 and 1.26.
func TestGitShim(t *testing.T) {
	const commit = "ecf6decece6a6de25a57aad9ba90b6ce580f6f78"
	dir := t.TempDir()
	script := gitShim(commit, "v1.36.0", time.Date(2026, 4, 22, 13, 51, 51, 0, time.UTC))
	for name, text := range map[string]string{"git": script, "go.mod": "module k8s.io/kubernetes\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args string
		want string // "" with fails
		fail bool
	}{
		{args: "version", want: "git version 2.39.0\n"},
		{args: "status --porcelain"},
		{args: "-c log.showsignature=false log -1 --format=%H:%ct", want: commit + ":1776865911\n"},
		{args: "log -1 --format=%H:%ct", want: commit + ":1776865911\n"},
		{args: "-c log.showsignature=false log --no-decorate -n1 --format=format:%H_%ct_%D --end-of-options " + commit + " --", want: commit + " 1776865911 HEAD -> master, tag: v1.36.0\n"},
		{args: "tag -l", want: "v1.36.0\n"},
		{args: "config extensions.objectformat", fail: true},
		{args: "for-each-ref --format=%(refname) --merged=" + commit, want: "refs/tags/v1.36.0\n"},
		{args: "cat-file --end-of-options blob " + commit + ":go.mod", want: "module k8s.io/kubernetes\n"},
		{args: "cat-file --end-of-options blob 0123:go.mod", fail: true},
		{args: "status", fail: true},
		{args: "push", fail: true},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			args := strings.Fields(test.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "_", " ")
			}
			cmd := exec.Command("/bin/sh", append([]string{filepath.Join(dir, "git")}, args...)...)
			cmd.Dir = dir
			out, err := cmd.Output()
			if string(out) != test.want || (err != nil) != test.fail {
				t.Errorf("got %q and error %v, want %q and failure %v", out, err, test.want, test.fail)
			}
		})
	}
}

func TestVersionFile(t *testing.T) {
	got, err := versionFile("v1.29.1", "bc40")
	want := "KUBE_GIT_COMMIT='bc40'\nKUBE_GIT_TREE_STATE='clean'\nKUBE_GIT_VERSION='v1.29.1'\nKUBE_GIT_MAJOR='1'\nKUBE_GIT_MINOR='29'\n"
	if err != nil || got != want {
		t.Errorf("got %q (error %v), want %q", got, err, want)
	}
	if _, err := versionFile("v1.29", "bc40"); err == nil {
		t.Error(`versionFile("v1.29") worked, want an error`)
	}
}
