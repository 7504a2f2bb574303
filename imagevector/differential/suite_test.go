package differential

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Gardener's test suite of the image vector passes with this library. It runs in a
// module with the path of Gardener's, with the unchanged suite and packages that
// adapt this library to the interfaces of Gardener.
func TestGardenersSuite(t *testing.T) {
	if testing.Short() {
		t.Skip("builds Gardener's suite")
	}
	dir := t.TempDir()
	suite, err := filepath.Glob(filepath.Join(moduleDir(t, "github.com/gardener/gardener"), "pkg/utils/imagevector/*_test.go"))
	if err != nil || len(suite) == 0 {
		t.Fatalf("finding Gardener's suite: %d files, %v", len(suite), err)
	}
	for _, file := range suite {
		copyFile(t, file, filepath.Join(dir, "pkg/utils/imagevector", filepath.Base(file)))
	}
	for _, name := range []string{"imagevector/adapter.go", "secrets/secrets.go", "test/test.go"} {
		copyFile(t, filepath.Join("testdata/suite", name), filepath.Join(dir, "pkg/utils", name))
	}
	copyFile(t, "go.sum", filepath.Join(dir, "go.sum"))
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(string(mod), "module github.com/gardener/gardener")
	text = regexp.MustCompile(`(?m)^\s*github.com/gardener/gardener(/pkg/apis)? v.*$`).ReplaceAllString(text, "")
	text = strings.NewReplacer("=> ../..", "=> "+root, "=> ..", "=> "+filepath.Join(root, "imagevector")).Replace(text)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command("go", "test", "-count=1", "-vet=off", "-mod=mod", "./pkg/utils/imagevector", "-v", "-args", "-ginkgo.no-color")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("Gardener's suite: %v\n%s", err, out)
	}
	ran := regexp.MustCompile(`Ran ([0-9]+) of ([0-9]+) Specs`).FindSubmatch(out)
	if ran == nil || string(ran[1]) != string(ran[2]) {
		t.Fatalf("Gardener's suite did not run completely:\n%s", out)
	}
	if n, _ := strconv.Atoi(string(ran[1])); n < 97 {
		t.Errorf("Gardener's suite has %d cases, want 97 at least", n)
	}
	t.Logf("%s", ran[0])
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// moduleDir returns the directory of a module.
func moduleDir(t testing.TB, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatalf("finding module %s: %v", path, err)
	}
	return strings.TrimSpace(string(out))
}
