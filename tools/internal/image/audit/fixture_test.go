package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/hyperkube/hyperkube/tools/internal/image/record"
	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/versions"
)

var quiet = progress.New(io.Discard, nil)

const manifest = `schema: 1
registry: registry.example
sources:
  kubernetes: {kind: release, url: "https://example.com/{version}/{os}/{arch}/{file}", files: {kubectl: ">= 1.19.0"}}
flavors:
  kubectl:
    repository: kubectl
    tag: "{version}{-iteration}"
    contentTag: true
    versions: ">= 1.19.0"
    architectures: [amd64]
    files: [{path: /kubectl, source: kubernetes/kubectl}]
    entrypoint: [/kubectl]
  debug:
    repository: debug/kubectl
    tag: "{version}"
    versions: ">= 1.19.0"
    architectures: [amd64]
    files: [{path: /kubectl, source: kubernetes/kubectl}]
    entrypoint: [/kubectl]
releases: [{version: v1.36.0, iterations: {kubectl: 2}}, v1.36.1, v1.36.2, v1.36.3]
`

func catalog(t *testing.T) *versions.Catalog {
	t.Helper()
	m, err := versions.ParseManifest("m.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	lock := versions.NewLock()
	for _, key := range m.RequiredFiles(lock) {
		source, _ := m.Source(key.Source)
		lock.Set(versions.Pin{SHA256: versions.NewDigest(sha256.Sum256([]byte(key.String()))), Size: 1, FileKey: key, URL: source.FileURL(key)})
	}
	c, err := versions.Resolve(m, lock)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fixture is a registry in process whose lists of tags have pages.
type fixture struct {
	t          *testing.T
	repository string
	handler    http.Handler
	heads      atomic.Int64 // requests for the digest of a tag
	// intercept, unless nil, may respond in place of the registry.
	intercept func(http.ResponseWriter, *http.Request) bool
	records   record.Records
	audit     Audit
	now       time.Time
}

func newFixture(t *testing.T, options ...registry.Option) *fixture {
	f := &fixture{t: t, handler: registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...), records: record.Records{}, now: time.Unix(1_800_000_000, 0).UTC()}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.repository = strings.TrimPrefix(s.URL, "http://") + "/k8s/kubectl"
	f.audit = Audit{Repository: f.repository, Parallel: 4, Resume: 10 * time.Minute, Now: func() time.Time { return f.now }}
	return f
}

func (f *fixture) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.intercept != nil && f.intercept(w, r) {
		return
	}
	if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/") {
		f.heads.Add(1)
	}
	if !strings.HasSuffix(r.URL.Path, "/tags/list") {
		f.handler.ServeHTTP(w, r)
		return
	}
	// The handler itself returns the first page only.
	all := httptest.NewRecorder()
	last := r.URL.Query().Get("last")
	r.URL.RawQuery = ""
	f.handler.ServeHTTP(all, r)
	var list struct {
		Tags []string `json:"tags"`
	}
	if err := json.NewDecoder(all.Body).Decode(&list); err != nil {
		f.t.Error(err)
	}
	rest := list.Tags
	if i := slices.Index(rest, last); i >= 0 {
		rest = rest[i+1:]
	}
	const page = 2
	if len(rest) > page {
		rest = rest[:page]
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%s&n=%d>; rel="next"`, r.URL.Path, rest[page-1], page))
	}
	list.Tags = rest
	json.NewEncoder(w).Encode(list)
}

// push tags an index that depends on text, and returns its digest.
func (f *fixture) push(tag, text string) string {
	f.t.Helper()
	index := mutate.Annotations(empty.Index, map[string]string{"text": text}).(remote.Taggable)
	ref, err := name.NewTag(f.repository + ":" + tag)
	if err == nil {
		err = remote.Put(ref, index)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	digest, err := remote.Head(ref)
	if err != nil {
		f.t.Fatal(err)
	}
	return digest.Digest.String()
}

func (f *fixture) remove(tag string) {
	f.t.Helper()
	ref, err := name.NewTag(f.repository + ":" + tag)
	if err == nil {
		err = remote.Delete(ref)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// fill pushes all images of the manifest and the first iteration of v1.36.0, and
// records all but one.
func (f *fixture) fill() {
	f.t.Helper()
	for _, i := range catalog(f.t).Images {
		if i.Flavor.Name == "kubectl" {
			f.records[i.Name()] = record.Record{Index: f.push(i.Tag, i.Tag)}
			f.push(i.ContentTag, i.Tag)
		}
	}
	f.records["kubectl:v1.36.0"] = record.Record{Index: f.push("v1.36.0", "v1.36.0")}
	delete(f.records, "kubectl:v1.36.3")
}

// run audits the repository.
func (f *fixture) run(ignore ...string) (Report, error) {
	f.t.Helper()
	c := catalog(f.t)
	flavor, err := Flavor(c.Manifest, f.repository, "")
	if err != nil {
		f.t.Fatal(err)
	}
	all, err := versions.ParseConstraint(">= 0.0.0")
	if err != nil {
		f.t.Fatal(err)
	}
	if f.audit.Expected, err = Expect(c, f.records, flavor, all, ignore); err != nil {
		f.t.Fatal(err)
	}
	f.heads.Store(0)
	return f.audit.Run(f.t.Context(), quiet)
}

// want audits the repository, and compares the findings, as "KIND TAG".
func (f *fixture) want(findings ...string) Report {
	f.t.Helper()
	report, err := f.run()
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, finding := range report.Findings {
		got = append(got, string(finding.Kind)+" "+finding.Tag)
	}
	if !slices.Equal(got, findings) {
		var text bytes.Buffer
		report.Print(&text)
		f.t.Fatalf("got %q, want %q\n%s", got, findings, &text)
	}
	return report
}
