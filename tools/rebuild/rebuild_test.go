package main

import (
	"bytes"
	"context"
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
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/sandbox/host"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// site is a machine to rebuild on: a module proxy with the small tree of
// testdata/mod, this machine's Go as the toolchain that it names, and folders
// of its own. All of the rest is real: scripts, sandbox, compiler, linker.
type site struct {
	*testing.T
	dir  string
	env  map[string]string
	said *bytes.Buffer
}

// TestSmallTree has one site for all, since it begins with compiling the
// standard library.
func TestSmallTree(t *testing.T) {
	s := newSite(t)
	for _, test := range []struct {
		name string
		run  func(*site)
	}{
		{"interrupted", testInterrupted},
		{"cannot be built", testCannotBeBuilt},
		{"search", testSearch},
		{"before workspaces", testOlder},
		{"survey", testSurvey},
		{"two at once", testForget},
		{"rebuild", testRebuild}, // takes the proxy away
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
	s := &site{T: t, dir: t.TempDir(), said: &bytes.Buffer{}}
	home := filepath.Join(s.dir, "home")
	s.env = map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": home, "GOPROXY": "file://" + s.proxy(), "GOSUMDB": "off",
	}
	// So that no go command leaves a process that writes counters after it.
	s.write(filepath.Join(home, ".config", "go", "telemetry", "mode"), []byte("off"))
	version := strings.Fields(runtime.Version())[0]
	toolchain := "golang.org/toolchain@v0.0.1-" + version + "." + runtime.GOOS + "-" + runtime.GOARCH
	s.haveToolchain(toolchain)
	sums := strings.ReplaceAll(toolchain, "@", " ") + " " + toolchainSum + "\n"
	for _, name := range []string{"k8s.io/kubernetes v1.99.0", "k8s.io/api v0.99.0", "k8s.io/kubernetes v1.98.0", "k8s.io/api v0.98.0"} {
		sums += name + " " + s.publish(name, version) + "\n"
	}
	s.write(s.goSum(), []byte(sums))
	return s
}

// toolchainSum stands for the sum of what is not fetched here.
const toolchainSum = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// publish puts a module of testdata/mod into the proxy and returns its sum.
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

// haveToolchain puts this machine's Go where a fetched toolchain would be.
func (s *site) haveToolchain(name string) {
	mod := filepath.Join(s.cache(), "go", "mod")
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
func (s *site) cache() string { return filepath.Join(s.dir, "cache", "rebuild") }
func (s *site) goSum() string { return filepath.Join(s.dir, "go.sum") }
func (s *site) dates() string { return filepath.Join(s.dir, "dates.json") }

// rebuilder is a new process of the command.
func (s *site) rebuilder() *rebuilder {
	return &rebuilder{
		config: config{
			compilers: 2, cache: s.cache(), store: filepath.Join(s.dir, "store"), dates: s.dates(), goSum: s.goSum(),
			platforms: []versions.Platform{platform("linux/amd64")},
		},
		env:    cli.Env{Getenv: func(name string) string { return s.env[name] }, Dir: s.dir, Out: s.said, Err: io.Discard},
		report: progress.New(io.Discard),
		store:  store.New(filepath.Join(s.dir, "store")),
		say:    func(outcome) {},
	}
}

func (s *site) setDates(node, client string) {
	phases := []string{}
	for name, date := range map[string]string{"node": node, "client": client} {
		if date != "" {
			phases = append(phases, `"`+name+`":{"date":"`+date+`","how":"search"}`)
		}
	}
	slices.Sort(phases)
	s.write(s.dates(), []byte(`{"schema":1,"releases":[{"version":"v1.99.0","phases":{`+strings.Join(phases, ",")+`}}]}`))
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

func target(binary string, want versions.Digest) job {
	return job{small, binary, platform("linux/amd64"), want}
}

var nobodys = must(versions.ParseDigest(strings.Repeat("0", 64)))(nil)

func (s *site) one(r *rebuilder, j job) outcome {
	s.Helper()
	outcomes, err := r.rebuild(s.Context(), small, []job{j})
	if err != nil || len(outcomes) != 1 {
		s.Fatalf("outcomes %v, error %v, want one outcome", outcomes, err)
	}
	return outcomes[0]
}

func testRebuild(s *site) {
	s.setDates("2026-04-22T13:54:03Z", "2026-04-22T13:54:45Z")

	differing := s.one(s.rebuilder(), target("kubectl", nobodys))
	if differing.status != differs || differing.got == nobodys {
		s.Fatalf("%v, want a difference to the sha256 of nothing", differing)
	}
	text := string(must(os.ReadFile(differing.kept + ".txt"))(s))
	if sum := must(digestOf(differing.kept))(s); sum != differing.got || !strings.Contains(text, ".gopclntab") || !strings.Contains(text, "-trimpath=true") {
		s.Errorf("what differs is kept as %q, sha256 %s, with\n%s", differing.kept, sum, text)
	}
	if code := cli.Code("rebuild", io.Discard, verdict([]outcome{differing})); code != cli.ExitDrift {
		s.Errorf("a difference exits with %d, want %d", code, cli.ExitDrift)
	}
	if has, err := s.rebuilder().store.Has(differing.got); has || err != nil {
		s.Errorf("what differs is in the store: %v (error %v)", has, err)
	}

	official := differing.got
	r := s.rebuilder()
	r.statements = &bytes.Buffer{}
	if o := s.one(r, target("kubectl", official)); o.status != matched {
		s.Fatalf("%v, want a match: the same build must give the same bytes", o)
	}
	if err := r.store.Verify(official); err != nil {
		s.Errorf("the match is not in the store: %v", err)
	}
	s.checkStatement(r.statements.Bytes(), official)
	s.checkStamp(r.store.Path(official))

	again := s.rebuilder()
	again.config.again, again.statements = true, &bytes.Buffer{}
	if o := s.one(again, target("kubectl", official)); o.status != matched {
		s.Errorf("again: %v, want a match", o)
	}
	if again.statements.String() != r.statements.String() {
		s.Errorf("two builds of the same have different provenance:\n%s\n%s", r.statements, again.statements)
	}

	// What is in the store needs no proxy, no dates, nothing.
	if err := os.RemoveAll(s.proxy()); err != nil {
		s.Fatal(err)
	}
	s.write(s.dates(), nil)
	if o := s.one(s.rebuilder(), target("kubectl", official)); o.status != stored {
		s.Errorf("%v, want it from the store", o)
	}
	s.write(r.store.Path(official), []byte("another file"))
	s.setDates("", "2026-04-22T13:54:45Z")
	if o := s.one(s.rebuilder(), target("kubectl", official)); o.status != matched {
		s.Errorf("%v, want what is wrong in the store rebuilt", o)
	}
	left := must(filepath.Glob(filepath.Join(s.cache(), "work", "build-*")))(s)
	if len(left) > 0 {
		s.Errorf("folders left behind: %q", left)
	}
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
			s.Errorf("the binary says %s=%q of itself, want %q", key, got[key], want)
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
		s.Errorf("made of %q, want %q", uris, want)
	}
}

func testCannotBeBuilt(s *site) {
	s.setDates("2026-04-22T13:54:03Z", "")
	for _, test := range []struct{ binary, why string }{
		{"kubectl", "-search"},      // no date
		{"broken", "undefined"},     // does not compile
		{"kube-proxy", "builds no"}, // not in this tree
	} {
		o := s.one(s.rebuilder(), target(test.binary, nobodys))
		if o.status != unbuildable || !strings.Contains(o.why, test.why) {
			s.Errorf("%s: %v, want it unbuildable because of %q", test.binary, o, test.why)
		}
		if code := cli.Code("rebuild", io.Discard, verdict([]outcome{o})); code != cli.ExitFailed {
			s.Errorf("%s: exits with %d, want %d", test.binary, code, cli.ExitFailed)
		}
	}
	r := s.rebuilder()
	r.config.goSum = filepath.Join(s.dir, "wrong.sum")
	s.write(r.config.goSum, []byte("k8s.io/kubernetes v1.99.0 h1:AAAA=\n"))
	if _, err := r.rebuild(s.Context(), small, []job{target("kubectl", nobodys)}); err == nil || !strings.Contains(err.Error(), "want sum h1:AAAA=") {
		s.Errorf("error %v, want one that says that a module's sum is wrong", err)
	}
}

func testSearch(s *site) {
	// Upstream built at a moment that nobody wrote down.
	const secret = "2026-04-22T14:03:21Z"
	s.setDates(secret, "2026-04-22T13:54:45Z")
	official := s.one(s.rebuilder(), target("kubeadm", nobodys)).got
	s.setDates("", "2026-04-22T13:54:45Z")

	r := s.rebuilder()
	if err := r.search(s.Context(), small, []job{target("kubeadm", official)}, nil); err == nil || !strings.Contains(err.Error(), "server") {
		s.Errorf("error %v, want one about the server phase, which builds nothing that is left", err)
	}
	if err := s.rebuilder().search(s.Context(), small, []job{target("kubeadm", official)}, []job{target("kubectl", nobodys)}); err != nil {
		s.Errorf("error %v, want none: kubectl needs no date but the client phase's, which is known", err)
	}
	dates := must(builddate.Parse("dates", must(os.ReadFile(s.dates()))(s)))(s)
	l := dates.Release(small).Phases["node"]
	if got := l.Date.Format(redate.Layout); got != secret || l.How != builddate.Search {
		s.Fatalf("found %s by %q, want %s by search; it said:\n%s", got, l.How, secret, s.said)
	}
	if o := s.one(s.rebuilder(), target("kubeadm", official)); o.status != stored {
		s.Errorf("%v, want the verified find in the store", o)
	}

	// What is not there is not found, and the next search does not begin anew.
	s.setDates("", "")
	r = s.rebuilder()
	r.config.phase = "node"
	from := time.Date(2026, 4, 22, 14, 0, 0, 0, time.UTC)
	r.config.window = window{from, from.Add(99 * time.Second)}
	for range 2 {
		if err := r.search(s.Context(), small, []job{target("kubeadm", nobodys)}, nil); err == nil {
			s.Error("a date was found for the sha256 of nothing")
		}
	}
	said := s.said.String()
	if n := strings.Count(said, "2026-04-22T14:00:00Z to 2026-04-22T14:01:39Z"); n != 2 || strings.Count(said, "all tried before: not found") != 1 {
		s.Errorf("it said:\n%s\nwant the window twice, and the second time that all was tried before", said)
	}
}

func testInterrupted(s *site) {
	s.setDates("2026-04-22T13:54:03Z", "2026-04-22T13:54:45Z")
	for _, after := range []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second} {
		ctx, cancel := context.WithTimeout(s.Context(), after)
		outcomes, err := s.rebuilder().rebuild(ctx, small, []job{target("kubectl", nobodys)})
		cancel()
		if err == nil && (len(outcomes) != 1 || outcomes[0].status != differs) {
			s.Errorf("stopped after %v: outcomes %v without an error", after, outcomes)
		}
	}
	if o := s.one(s.rebuilder(), target("kubectl", nobodys)); o.status != differs {
		s.Errorf("after interruptions: %v, want a whole build", o)
	}
}
