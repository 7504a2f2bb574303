package rebuild_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/kube/builddate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/redate"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/builder"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/search"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/host"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// site has a module proxy with the small tree of testdata/mod, this machine's Go
// as the toolchain of the tree, and directories of its own. Scripts, sandbox,
// compiler and linker are real.
type site struct {
	*testing.T
	dir    string
	env    map[string]string
	output *bytes.Buffer // of searches
}

// TestSmallTree shares one site, because its first build compiles the standard
// library.
func TestSmallTree(t *testing.T) {
	s := newSite(t)
	for _, test := range []struct {
		name string
		run  func(*site)
	}{
		{"interrupted", testInterrupted},
		{"unbuildable", testUnbuildable},
		{"search", testSearch},
		{"before workspaces", testOlder},
		{"survey", testSurvey},
		{"remove sources", testRemoveSources},
		{"rebuild", testRebuild}, // removes the proxy
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(&site{t, s.dir, s.env, &bytes.Buffer{}})
		})
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command here")
	}
	if _, err := host.New(t.Context()); err != nil {
		t.Skip(err)
	}
	s := &site{T: t, dir: t.TempDir(), output: &bytes.Buffer{}}
	home := filepath.Join(s.dir, "home")
	s.env = map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": home, "GOPROXY": "file://" + s.proxy(), "GOSUMDB": "off",
	}
	// Without it, go commands leave processes that write counters.
	s.write(filepath.Join(home, ".config", "go", "telemetry", "mode"), []byte("off"))
	version := strings.Fields(runtime.Version())[0]
	toolchain := "golang.org/toolchain@v0.0.1-" + version + "." + runtime.GOOS + "-" + runtime.GOARCH
	s.addToolchain(toolchain)
	sums := strings.ReplaceAll(toolchain, "@", " ") + " " + toolchainSum + "\n"
	for _, name := range []string{"k8s.io/kubernetes v1.99.0", "k8s.io/api v0.99.0", "k8s.io/kubernetes v1.98.0", "k8s.io/api v0.98.0"} {
		sums += name + " " + s.publish(name, version) + "\n"
	}
	s.write(s.goSum(), []byte(sums))
	return s
}

// toolchainSum is the placeholder of a sum: the toolchain is not downloaded.
const toolchainSum = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// publish adds a module of testdata/mod to the proxy and returns its sum.
func (s *site) publish(name, goVersion string) string {
	path, version, _ := strings.Cut(name, " ")
	archive, err := txtar.ParseFile(filepath.Join("testdata", "mod", strings.ReplaceAll(path, "/", "_")+"_"+version+".txtar"))
	if err != nil {
		s.Fatal(err)
	}
	src, to := filepath.Join(s.dir, "src", path+version), filepath.Join(s.proxy(), path, "@v", version)
	for _, f := range archive.Files {
		data := bytes.ReplaceAll(f.Data, []byte("GOVERSION"), []byte(goVersion))
		if strings.HasPrefix(f.Name, ".") { // .mod and .info
			s.write(to+f.Name, data)
		} else {
			s.write(filepath.Join(src, f.Name), data)
		}
	}
	f := must(os.Create(to + ".zip"))(s)
	if err := errors.Join(zip.CreateFromDir(f, module.Version{Path: path, Version: version}, src), f.Close()); err != nil {
		s.Fatal(err)
	}
	return must(dirhash.HashZip(f.Name(), dirhash.Hash1))(s)
}

// addToolchain adds this machine's Go to the module cache as a toolchain.
func (s *site) addToolchain(name string) {
	mod := filepath.Join(s.cache(), "rebuild", "go", "mod")
	path, version, _ := strings.Cut(name, "@")
	download := filepath.Join(mod, "cache", "download", filepath.FromSlash(path), "@v", version)
	s.write(download+".info", []byte(`{"Version": "`+version+`"}`))
	s.write(download+".mod", []byte("module "+path+"\n"))
	s.write(download+".zip", nil)
	s.write(download+".ziphash", []byte(toolchainSum))
	goroot := strings.TrimSpace(string(must(exec.Command("go", "env", "GOROOT").Output())(s.T)))
	if err := errors.Join(os.MkdirAll(filepath.Join(mod, "golang.org"), 0o755), os.Symlink(goroot, filepath.Join(mod, filepath.FromSlash(name)))); err != nil {
		s.Fatal(err)
	}
}

func (s *site) write(name string, data []byte) {
	s.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644)); err != nil {
		s.Fatal(err)
	}
}

func (s *site) proxy() string { return filepath.Join(s.dir, "proxy") }
func (s *site) cache() string { return filepath.Join(s.dir, "cache") }
func (s *site) goSum() string { return filepath.Join(s.dir, "go.sum") }
func (s *site) dates() string { return filepath.Join(s.dir, "dates.json") }

func (s *site) store() *store.Store {
	st := store.New(filepath.Join(s.dir, "store"))
	return &st
}

func (s *site) rebuilder() rebuild.Rebuilder {
	return rebuild.Rebuilder{
		Builder: builder.Config{
			Cache: s.cache(), GoSum: s.goSum(), Parallel: 2, Getenv: func(name string) string { return s.env[name] },
			Log: io.Discard, Progress: progress.New(io.Discard, nil),
		},
		Dates: builddate.Database{Path: s.dates(), Lock: s.dates() + ".lock"},
		Store: s.store(),
	}
}

func (s *site) searcher() search.Searcher {
	return search.Searcher{Rebuilder: s.rebuilder(), Platform: platform("linux/amd64"), Out: s.output}
}

func (s *site) setDates(node, client string) {
	phases := []string{}
	for name, date := range map[string]string{"node": node, "client": client} {
		if date != "" {
			phases = append(phases, `"`+name+`":{"date":"`+date+`","source":"search"}`)
		}
	}
	slices.Sort(phases)
	release := `{"version":"v1.99.0","phases":{` + strings.Join(phases, ",") + `}}`
	if len(phases) == 0 {
		release = `{"version":"v1.99.0"}`
	}
	s.write(s.dates(), []byte(`{"schema":1,"releases":[`+release+`]}`))
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func platform(s string) versions.Platform { return must(versions.ParsePlatform(s))(nil) }

var small = must(versions.ParseVersion("v1.99.0"))(nil)

func job(binary string, want versions.Digest) rebuild.Job {
	return rebuild.Job{Key: results.Key{Version: small, Binary: binary, Platform: platform("linux/amd64")}, Want: want}
}

// noDigest is the sha256 of no binary.
var noDigest = must(versions.ParseDigest(strings.Repeat("0", 64)))(nil)

func (s *site) one(r rebuild.Rebuilder, j rebuild.Job) rebuild.Outcome {
	s.Helper()
	outcomes, err := r.Run(s.Context(), small, []rebuild.Job{j})
	if err != nil || len(outcomes) != 1 {
		s.Fatalf("outcomes %v, error %v, want one outcome", outcomes, err)
	}
	return outcomes[0]
}

func testRebuild(s *site) {
	s.setDates("2026-04-22T13:54:03Z", "2026-04-22T13:54:45Z")

	differing := s.one(s.rebuilder(), job("kubectl", noDigest))
	if differing.Status != rebuild.Differs || differing.Got == noDigest {
		s.Fatalf("%v, want a mismatch", differing)
	}
	text := string(must(os.ReadFile(differing.Path + ".txt"))(s))
	if sum := must(digestOf(differing.Path))(s); sum != differing.Got || !strings.Contains(text, ".gopclntab") || !strings.Contains(text, "-trimpath=true") {
		s.Errorf("the binary that differs is %q, sha256 %s, with\n%s", differing.Path, sum, text)
	}
	if code := cli.Code("rebuild", io.Discard, rebuild.Verdict([]rebuild.Outcome{differing})); code != cli.ExitDrift {
		s.Errorf("a difference exits with %d, want %d", code, cli.ExitDrift)
	}
	if has, err := s.store().Has(differing.Got); has || err != nil {
		s.Errorf("the binary that differs is in the store: %v (error %v)", has, err)
	}

	official := differing.Got
	r, statements := s.rebuilder(), &bytes.Buffer{}
	r.Provenance = statements
	if o := s.one(r, job("kubectl", official)); o.Status != rebuild.Matched {
		s.Fatalf("%v, want a match with the same build", o)
	}
	if err := s.store().Verify(official); err != nil {
		s.Errorf("the match is not in the store: %v", err)
	}
	s.checkStatement(statements.Bytes(), official)
	s.checkStamp(s.store().Path(official))

	again, statementsAgain := s.rebuilder(), &bytes.Buffer{}
	again.Force, again.Provenance = true, statementsAgain
	if o := s.one(again, job("kubectl", official)); o.Status != rebuild.Matched {
		s.Errorf("again: %v, want a match", o)
	}
	if statementsAgain.String() != statements.String() {
		s.Errorf("two equal builds have different provenance:\n%s\n%s", statements, statementsAgain)
	}

	// A binary in the store needs neither the proxy nor build dates.
	if err := os.RemoveAll(s.proxy()); err != nil {
		s.Fatal(err)
	}
	s.write(s.dates(), nil)
	if o := s.one(s.rebuilder(), job("kubectl", official)); o.Status != rebuild.Stored {
		s.Errorf("%v, want it stored", o)
	}
	s.write(s.store().Path(official), []byte("another file"))
	s.setDates("", "2026-04-22T13:54:45Z")
	if o := s.one(s.rebuilder(), job("kubectl", official)); o.Status != rebuild.Matched {
		s.Errorf("%v, want the corrupt file in the store rebuilt", o)
	}
	left := must(filepath.Glob(filepath.Join(s.cache(), "rebuild", "work", "build-*")))(s)
	if len(left) > 0 {
		s.Errorf("directories left: %q", left)
	}
}

func digestOf(name string) (versions.Digest, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return versions.Digest{}, err
	}
	return versions.NewDigest(sha256.Sum256(data)), nil
}

func (s *site) checkStamp(name string) {
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		s.Fatal(err)
	}
	got := map[string]string{"version": info.Main.Version}
	for _, b := range info.Settings {
		got[b.Key] = b.Value
	}
	for key, want := range map[string]string{
		"version": "v1.99.0", "vcs": "git", "vcs.revision": "00112233445566778899aabbccddeeff00112233",
		"vcs.time": "2026-04-22T13:51:51Z", "vcs.modified": "false", "-trimpath": "true", "CGO_ENABLED": "0",
	} {
		if got[key] != want {
			s.Errorf("build information %s=%q, want %q", key, got[key], want)
		}
	}
}

func (s *site) checkStatement(line []byte, official versions.Digest) {
	var st struct {
		Subject []struct {
			Name   string
			Digest map[string]string
		}
		Predicate struct {
			BuildDefinition struct {
				ResolvedDependencies []struct{ URI string }
			}
		}
	}
	if err := json.Unmarshal(line, &st); err != nil {
		s.Fatal(err)
	}
	if len(st.Subject) != 1 || st.Subject[0].Name != "kubectl" || st.Subject[0].Digest["sha256"] != official.String() {
		s.Errorf("subject %v, want kubectl with %s", st.Subject, official)
	}
	var uris []string
	for _, d := range st.Predicate.BuildDefinition.ResolvedDependencies {
		uris = append(uris, strings.Split(d.URI, "@")[0])
	}
	want := []string{"git+https://github.com/kubernetes/kubernetes", "pkg:golang/golang.org/toolchain", "pkg:golang/k8s.io/api", "pkg:golang/k8s.io/kubernetes"}
	if !slices.Equal(uris, want) {
		s.Errorf("resolved dependencies %q, want %q", uris, want)
	}
}

func testUnbuildable(s *site) {
	s.setDates("2026-04-22T13:54:03Z", "")
	for _, test := range []struct{ binary, reason string }{
		{"kubectl", "search"},       // no date
		{"broken", "undefined"},     // does not compile
		{"kube-proxy", "no target"}, // not in this tree
	} {
		o := s.one(s.rebuilder(), job(test.binary, noDigest))
		if o.Status != rebuild.Unbuildable || !strings.Contains(o.Reason, test.reason) {
			s.Errorf("%s: %v, want it unbuildable with reason %q", test.binary, o, test.reason)
		}
		if code := cli.Code("rebuild", io.Discard, rebuild.Verdict([]rebuild.Outcome{o})); code != cli.ExitFailed {
			s.Errorf("%s: exits with %d, want %d", test.binary, code, cli.ExitFailed)
		}
	}
	r := s.rebuilder()
	r.Builder.GoSum = filepath.Join(s.dir, "wrong.sum")
	s.write(r.Builder.GoSum, []byte("k8s.io/kubernetes v1.99.0 h1:AAAA=\n"))
	if _, err := r.Run(s.Context(), small, []rebuild.Job{job("kubectl", noDigest)}); err == nil || !strings.Contains(err.Error(), "want sum h1:AAAA=") {
		s.Errorf("error %v, want a mismatch of a module sum", err)
	}
}

func testSearch(s *site) {
	// The build date of upstream that is to be found.
	const secret = "2026-04-22T14:03:21Z"
	s.setDates(secret, "2026-04-22T13:54:45Z")
	official := s.one(s.rebuilder(), job("kubeadm", noDigest)).Got
	s.setDates("", "2026-04-22T13:54:45Z")

	if _, err := s.searcher().Run(s.Context(), small, []rebuild.Job{job("kubeadm", official)}, nil); err == nil || !strings.Contains(err.Error(), "server") {
		s.Errorf("error %v, want one about the server phase, which builds no pinned binary", err)
	}
	if _, err := s.searcher().Run(s.Context(), small, []rebuild.Job{job("kubeadm", official)}, []rebuild.Job{job("kubectl", noDigest)}); err != nil {
		s.Errorf("error %v, want none: kubectl needs the date of the client phase only, which is known", err)
	}
	dates := must(builddate.Parse("dates", must(os.ReadFile(s.dates()))(s)))(s)
	l := dates.Release(small).Phases["node"]
	if got := l.Date.Format(redate.Layout); got != secret || l.Source != builddate.Search {
		s.Fatalf("build date %s from %q, want %s from a search; output:\n%s", got, l.Source, secret, s.output)
	}
	if o := s.one(s.rebuilder(), job("kubeadm", official)); o.Status != rebuild.Stored {
		s.Errorf("%v, want the verified binary in the store", o)
	}

	// A search without success continues at its checkpoint.
	s.setDates("", "")
	searcher := s.searcher()
	searcher.Phase = "node"
	from := time.Date(2026, 4, 22, 14, 0, 0, 0, time.UTC)
	searcher.Range = search.Range{From: from, To: from.Add(99 * time.Second)}
	for range 2 {
		exhausted, err := searcher.Run(s.Context(), small, []rebuild.Job{job("kubeadm", noDigest)}, nil)
		if err == nil || !strings.HasPrefix(exhausted["node"], "2026-04-22T14:00:00Z to ") {
			s.Errorf("searching the date of no binary: exhausted %q, error %v", exhausted, err)
		}
	}
	output := s.output.String()
	if n := strings.Count(output, "2026-04-22T14:00:00Z to 2026-04-22T14:01:39Z"); n != 2 || strings.Count(output, "all tried before: not found") != 1 {
		s.Errorf("output:\n%s\nwant the range twice, and the second time all tried before", output)
	}
}

func testInterrupted(s *site) {
	s.setDates("2026-04-22T13:54:03Z", "2026-04-22T13:54:45Z")
	for _, after := range []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second} {
		ctx, cancel := context.WithTimeout(s.Context(), after)
		outcomes, err := s.rebuilder().Run(ctx, small, []rebuild.Job{job("kubectl", noDigest)})
		cancel()
		if err == nil && (len(outcomes) != 1 || outcomes[0].Status != rebuild.Differs) {
			s.Errorf("stopped after %v: outcomes %v without an error", after, outcomes)
		}
	}
	if o := s.one(s.rebuilder(), job("kubectl", noDigest)); o.Status != rebuild.Differs {
		s.Errorf("after interruptions: %v, want a complete build", o)
	}
}
