package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

func TestFindings(t *testing.T) {
	f := newFixture(t)
	f.fill()
	r := f.want()
	if r.Tags != 9 || r.Images != 4 || r.Unrecorded != 1 || r.Unsigned != 5 || r.WithoutSBOM != 5 {
		t.Errorf("clean: got %+v", r)
	}
	f.remove("v1.36.1")
	moved := f.push("v1.36.2", "other")
	f.push("v1.36.9", "extra")
	r = f.want("missing v1.36.1", "changed v1.36.2", "extra v1.36.9")
	if got := r.Findings[1]; got.Digest != moved || got.Want != f.records["kubectl:v1.36.2"].Index || got.Reason != "differs from the record" {
		t.Errorf("got %+v", got)
	}
	if got := r.Findings[2].Reason; got != `flavor "kubectl" has no image of v1.36.9 in versions/versions.yaml` {
		t.Errorf("got %s", got)
	}
}

// A tag is extra unless an image of this or of an earlier iteration explains it.
func TestTags(t *testing.T) {
	f := newFixture(t)
	f.fill()
	delete(f.records, "kubectl:v1.36.0")
	hex := strings.Repeat("a", 64)
	f.push("files-"+hex, "v1.36.0") // the content of an earlier iteration
	f.push("sha256-"+hex, "x")
	f.push("sha256-"+hex+".sig", "x")
	if r := f.want(); r.Attachments != 2 || r.Unrecorded != 2 {
		t.Errorf("got %+v", r)
	}
	for _, tag := range []string{"files-" + strings.Repeat("b", 64), "latest", "sha256-abc", "v1.36.0-3"} {
		f.push(tag, "other")
	}
	f.want("extra files-"+strings.Repeat("b", 64), "extra latest", "extra sha256-abc", "extra v1.36.0-3")
	r, err := f.run("lat*", "v1*", "sha256-???", "files-b*")
	if err != nil || len(r.Findings) > 0 || r.Ignored != 4 || r.Tags != 16 {
		t.Errorf("ignored: got %+v, %v", r, err)
	}
}

// A content tag is missing if its image exists.
func TestContentTag(t *testing.T) {
	f := newFixture(t)
	f.fill()
	contents := slices.Sorted(maps.Keys(f.expected().contents))
	f.remove(contents[0])
	f.want("missing " + contents[0])
	f.remove(f.expected().contents[contents[0]][0])
	f.want("missing " + f.expected().contents[contents[0]][0])
}

func (f *fixture) expected() Expected {
	f.run()
	return f.audit.Expected
}

// An audit remembers digests. A tag that moved is a finding, without a record and after
// it moved back, too, until it is accepted.
func TestHistory(t *testing.T) {
	f := newFixture(t)
	f.fill()
	f.audit.History = filepath.Join(t.TempDir(), "history")
	first := f.want()
	f.now = f.now.Add(time.Hour)
	moved := f.push("v1.36.3", "other")
	r := f.want("changed v1.36.3")
	if got := r.Findings[0]; got.Digest != moved || !strings.Contains(got.Reason, "to "+short(moved)+", seen 2027-01-15T09:00:00Z") ||
		len(got.Moves) != 1 || got.Moves[0] != (Move{got.Want, moved, f.now}) {
		t.Errorf("got %+v", got)
	}
	f.push("v1.36.3", "v1.36.3")
	f.push("v1.36.1", "other")
	f.want("changed v1.36.1", "changed v1.36.3")
	f.push("v1.36.1", "v1.36.1")
	f.want("changed v1.36.1", "changed v1.36.3")
	f.remove("v1.36.0") // an earlier iteration
	f.want("missing v1.36.0", "changed v1.36.1", "changed v1.36.3")

	f.audit.Accept = []string{"v1.36.0", "v1.36.1", "v1.36.3"}
	f.want()
	f.audit.Accept = nil
	if r := f.want(); r.Tags != first.Tags-1 {
		t.Errorf("got %+v", r)
	}
	f.push("v1.36.3", "third")
	f.want("changed v1.36.3")
	f.audit.Accept = []string{"v1.36.3"}
	f.push("v1.36.3", "fourth") // nobody accepted this one
	f.want("changed v1.36.3")
	f.audit.Accept = []string{"none"}
	if _, err := f.run(); cli.Code("", io.Discard, err) != cli.ExitUsage {
		t.Errorf("accepting a tag that was never seen: got %v", err)
	}
}

// A file has the history of any number of repositories, and a line of a killed audit
// that is incomplete does no harm.
func TestTornLine(t *testing.T) {
	f := newFixture(t)
	f.fill()
	f.audit.History = filepath.Join(t.TempDir(), "history")
	f.want()
	whole, err := os.ReadFile(f.audit.History)
	if err != nil {
		t.Fatal(err)
	}
	other := regexp.MustCompile("sha256:.").ReplaceAllString(strings.ReplaceAll(string(whole), f.repository, "registry.example/other"), "sha256:0")
	f.push("v1.36.3", "other")
	for _, torn := range []string{"", other, other + string(whole[:1]), other + string(whole[:len(whole)/2]), other + string(whole[:len(whole)-1]), "\x00\x00\x00"} {
		if err := os.WriteFile(f.audit.History, []byte(string(whole)+torn), 0o644); err != nil {
			t.Fatal(err)
		}
		f.want("changed v1.36.3")
		f.want("changed v1.36.3")
		now, err := os.ReadFile(f.audit.History)
		if err != nil || !strings.HasPrefix(string(now), string(whole)+torn) {
			t.Errorf("%q: the file was not only appended to", torn)
		}
	}
	for bad, want := range map[string]string{
		"x\n": "line 2: invalid character 'x'", strings.Repeat("x", maxLine+1): "line 2 has more than 1048576 bytes",
		`{"tags":{"v1.36.1":"sha256:0"}}` + "\n": `line 2: tag "v1.36.1": want a digest, got "sha256:0"`,
	} {
		if err := os.WriteFile(f.audit.History, []byte(string(whole)+bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := f.run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// An audit that was interrupted goes on where it ended, unless that is long ago.
func TestResume(t *testing.T) {
	f := newFixture(t)
	f.fill()
	f.audit.History = filepath.Join(t.TempDir(), "history")
	f.audit.Parallel = 1
	f.expected()
	os.Remove(f.audit.History)
	f.heads.Store(0)
	ctx, cancel := context.WithCancel(t.Context())
	f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if f.heads.Load() == 5 {
			cancel()
			<-r.Context().Done()
			return true
		}
		return false
	}
	if _, err := f.audit.Run(ctx, quiet); err == nil {
		t.Fatal("want the error of the context")
	}
	f.intercept = nil
	stopped, err := os.ReadFile(f.audit.History)
	if err != nil {
		t.Fatal(err)
	}
	// The tag that is checked when the audit ends is checked again.
	if r := f.want(); r.Resumed < 4 || r.Resumed > 5 || int(f.heads.Load()) != 9-r.Resumed {
		t.Errorf("resumed %d, %d requests", r.Resumed, f.heads.Load())
	}
	if r := f.want(); r.Resumed != 0 || f.heads.Load() != 9 {
		t.Errorf("after a complete audit: resumed %d, %d requests", r.Resumed, f.heads.Load())
	}
	if err := os.WriteFile(f.audit.History, stopped, 0o644); err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(time.Hour)
	if r := f.want(); r.Resumed != 0 {
		t.Errorf("an hour later: resumed %d", r.Resumed)
	}
}

func FuzzHistory(f *testing.F) {
	digest := "sha256:" + strings.Repeat("a", 64)
	f.Add([]byte(`{"time":"2026-11-28T16:00:00Z","repository":"r","tags":{"v1":"` + digest + `"}}` + "\n" + `{"repository":"r","event":"accept","tags":{"v1":""}}` + "\n{"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "history")
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			h, err := openHistory(file, "r", time.Now)
			if err != nil {
				if n > 0 {
					t.Fatal(err)
				}
				return
			}
			if n > 0 && h.tags["new"].last != digest {
				t.Fatalf("got %+v", h.tags)
			}
			h.see("new", digest)
			if err := errors.Join(h.end(true), h.close()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Two audits must not write the same history at once.
func TestHistoryIsLocked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	h, err := openHistory(file, "r", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if _, err := openHistory(file, "r", time.Now); err == nil || !strings.Contains(err.Error(), "another audit writes it") {
		t.Errorf("got %v", err)
	}
}

// A registry that is overloaded is asked again. One that fails for a tag prevents
// neither the checks of other tags nor their findings.
func TestErrors(t *testing.T) {
	f := newFixture(t)
	f.fill()
	var mu sync.Mutex
	limited := map[string]bool{}
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		key := r.Method + r.URL.String()
		if limited[key] {
			return false
		}
		limited[key] = true
		w.Header().Set("Retry-After", "0")
		w.WriteHeader([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[len(limited)%2])
		return true
	}
	f.want()
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		broken := strings.HasSuffix(r.URL.Path, "/manifests/v1.36.1")
		if broken {
			w.WriteHeader(http.StatusForbidden)
		}
		return broken
	}
	f.audit.History = filepath.Join(t.TempDir(), "history")
	moved := f.push("v1.36.2", "other")
	r, err := f.run()
	if err == nil || !strings.Contains(err.Error(), "checking "+f.repository+":v1.36.1: ") || len(r.Findings) != 1 || r.Findings[0].Digest != moved {
		t.Errorf("got %+v, %v", r.Findings, err)
	}
	if raw, err := os.ReadFile(f.audit.History); err != nil || strings.Contains(string(raw), eventComplete) {
		t.Errorf("the audit is complete: %s, %v", raw, err)
	}
	var requests atomic.Int64
	f.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/manifests/") {
			return false
		}
		requests.Add(1)
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	for i := range 100 {
		f.push2(fmt.Sprintf("x%d", i))
	}
	if _, err := f.run(); err == nil || !strings.Contains(err.Error(), "10 checks failed") || requests.Load() > 60 {
		t.Errorf("got %d requests, %v", requests.Load(), err)
	}
}

// push2 is push while intercept refuses requests.
func (f *fixture) push2(tag string) {
	intercept := f.intercept
	f.intercept = nil
	f.push(tag, tag)
	f.intercept = intercept
}
