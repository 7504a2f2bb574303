package rebuild_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild"
	"github.com/hyperkube/hyperkube/tools/internal/rebuild/survey"
	"github.com/hyperkube/hyperkube/versions"
)

// testSurvey runs surveys one after the other, as over days.
func testSurvey(s *site) {
	root := filepath.Join(s.dir, "repository")
	s.write(filepath.Join(root, results.File), []byte(`{"schema": 1, "results": []}`))
	s.write(filepath.Join(root, results.DocFile), []byte("<!-- table: generated from versions/rebuilt.json by hk rebuild table -->\n<!-- end of table -->\n"))
	lock := versions.NewLock()
	binaries := []string{"kubectl", "kubeadm", "kube-proxy", "kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
	for _, name := range append([]string{"kube-log-runner"}, binaries...) {
		lock.Set(versions.Pin{
			FileKey: versions.FileKey{Source: rebuild.Source, Version: small, Platform: platform("linux/amd64"), File: name}, SHA256: noDigest,
		})
	}
	recorder := results.Recorder{Root: root, Cache: s.cache()}
	run := func(goSum string) ([]rebuild.Outcome, error) {
		r := s.rebuilder()
		r.Store, r.Builder.GoSum, r.Report = nil, goSum, func(rebuild.Outcome) {}
		return survey.Surveyor{
			Rebuilder: r, Recorder: recorder, Catalog: &versions.Catalog{Lock: lock},
			Platforms: []versions.Platform{platform("linux/amd64")}, Out: io.Discard,
		}.Run(s.Context())
	}
	result := func(binary string) results.Result {
		known := must(recorder.Read())(s)
		return known[results.Key{Version: small, Platform: platform("linux/amd64"), Binary: binary}]
	}

	// Wrong sums are transient failures.
	s.setDates("", "2026-04-22T13:54:45Z")
	wrong := filepath.Join(s.dir, "wrong.sum")
	s.write(wrong, []byte("k8s.io/kubernetes v1.99.0 h1:AAAA=\n"))
	outcomes, err := run(wrong)
	if err != nil || len(outcomes) != len(binaries) || !outcomes[0].Transient {
		s.Errorf("with wrong sums: %v, error %v, want transient failures of all", outcomes, err)
	}
	if got := result("kubectl"); got.Outcome != "" {
		s.Errorf("recorded %v, want no transient failure", got)
	}

	if _, err := run(s.goSum()); err != nil {
		s.Fatal(err)
	}
	if got := result("kubectl"); got.Outcome != results.Differs {
		s.Errorf("kubectl: %v, want a mismatch", got)
	}
	if got := result("kubelet"); got.Outcome != results.Unbuildable || got.MissingDate != "" {
		s.Errorf("kubelet: %v, want no target of it", got)
	}
	got := result("kubeadm")
	if got.Outcome != results.Unbuildable || got.MissingDate != "node" || !strings.Contains(got.Reason, "not found in 2026-04-22T13:52:21Z to ") {
		s.Errorf("kubeadm: %v, want the date of the node phase missing, and the ranges searched", got)
	}
	if outcomes, err := run(s.goSum()); err != nil || len(outcomes) > 0 {
		s.Errorf("a second survey: %v, error %v, want nothing left to do", outcomes, err)
	}

	// A build date that becomes known makes results outdated.
	s.setDates("2026-04-22T13:54:03Z", "2026-04-22T13:54:45Z")
	if outcomes, err := run(s.goSum()); err != nil || len(outcomes) != 1 || outcomes[0].Status != rebuild.Differs {
		s.Errorf("with the date: %v, error %v, want kubeadm built", outcomes, err)
	}

	other := must(lockfile.TryAcquire(filepath.Join(s.cache(), "rebuild", "survey.lock")))(s)
	defer other.Close()
	if _, err := run(s.goSum()); err == nil || !strings.Contains(err.Error(), "another survey") {
		s.Errorf("with another survey running: error %v", err)
	}
}

// testRemoveSources removes sources while they are in use, and afterwards.
func testRemoveSources(s *site) {
	r := s.rebuilder()
	w := must(r.Open(s.Context(), small))(s)
	trees := must(r.Builder.Trees(s.Context()))(s)
	removed := func() bool {
		if err := sourcetree.Remove(trees, small.String()); err != nil {
			s.Fatal(err)
		}
		_, err := os.Stat(w.Tree.Source())
		return os.IsNotExist(err)
	}
	if removed() {
		s.Error("the sources were removed while they were in use")
	}
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	if !removed() {
		s.Error("the sources still exist after they were closed")
	}
}
