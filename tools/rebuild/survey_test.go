package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/tools/internal/kube/sourcetree"
	"github.com/hyperkube/hyperkube/tools/internal/lockfile"
	"github.com/hyperkube/hyperkube/versions"
)

// testSurvey does what a survey does over days: it finds out, stops, goes on.
func testSurvey(s *site) {
	root := filepath.Join(s.dir, "repository")
	s.write(filepath.Join(root, results.File), []byte(`{"schema": 1, "results": []}`))
	s.write(filepath.Join(root, results.DocFile), []byte("<!-- table: generated from versions/rebuilt.json by tools/rebuild -->\n<!-- end of table -->\n"))
	lock := versions.NewLock()
	for _, name := range append([]string{"kube-log-runner"}, surveyAll...) {
		lock.Set(versions.Pin{
			FileKey: versions.FileKey{Source: source, Version: small, Platform: platform("linux/amd64"), File: name}, SHA256: nobodys,
		})
	}
	survey := func(goSum string) ([]outcome, error) {
		r := s.rebuilder()
		r.config.root, r.config.store, r.config.goSum = root, "", goSum
		return r.survey(s.Context(), &versions.Catalog{Lock: lock})
	}
	result := func(binary string) results.Result {
		known := must(recorder{root: root}.read())(s)
		got, _ := known.Get(results.Key{Version: small, Platform: platform("linux/amd64"), Binary: binary})
		return got
	}

	// A sum that is wrong today may be mended tomorrow.
	s.setDates("", "2026-04-22T13:54:45Z")
	wrong := filepath.Join(s.dir, "wrong.sum")
	s.write(wrong, []byte("k8s.io/kubernetes v1.99.0 h1:AAAA=\n"))
	outcomes, err := survey(wrong)
	if err != nil || len(outcomes) != len(surveyAll) || !outcomes[0].passing {
		s.Errorf("with wrong sums: %v, error %v, want passing trouble with all", outcomes, err)
	}
	if got := result("kubectl"); got.Outcome != "" {
		s.Errorf("recorded %v, want nothing of what is passing", got)
	}

	if _, err := survey(s.goSum()); err != nil {
		s.Fatal(err)
	}
	if got := result("kubectl"); got.Outcome != results.Differs {
		s.Errorf("kubectl: %v, want it to differ", got)
	}
	if got := result("kubelet"); got.Outcome != results.Unbuildable || got.Lacks != "" {
		s.Errorf("kubelet: %v, want that this version has none", got)
	}
	got := result("kubeadm")
	if got.Outcome != results.Unbuildable || got.Lacks != "node" || !strings.Contains(got.Why, "not found in 2026-04-22T13:52:21Z to ") {
		s.Errorf("kubeadm: %v, want the node phase's date missing, and where it was searched", got)
	}
	if outcomes, err := survey(s.goSum()); err != nil || len(outcomes) > 0 {
		s.Errorf("a second survey: %v, error %v, want nothing left to do", outcomes, err)
	}

	// Somebody finds the date.
	s.setDates("2026-04-22T13:54:03Z", "2026-04-22T13:54:45Z")
	if outcomes, err := survey(s.goSum()); err != nil || len(outcomes) != 1 || outcomes[0].status != differs {
		s.Errorf("with the date: %v, error %v, want kubeadm built", outcomes, err)
	}

	other := must(lockfile.TryAcquire(filepath.Join(s.cache(), "survey.lock")))(s)
	defer other.Close()
	if _, err := survey(s.goSum()); err == nil || !strings.Contains(err.Error(), "another survey") {
		s.Errorf("beside another survey: error %v, want one that says so", err)
	}
}

// testForget has one run forget the sources that another one builds from.
func testForget(s *site) {
	r := s.rebuilder()
	dates := must(r.dates())(s)
	v := must(r.open(s.Context(), small, dates.Release(small)))(s)
	trees := must(r.trees(s.Context()))(s)
	forget := func() bool {
		if err := sourcetree.Forget(trees, small.String()); err != nil {
			s.Fatal(err)
		}
		_, err := os.Stat(v.tree.Source())
		return os.IsNotExist(err)
	}
	if forget() {
		s.Error("the sources were removed while they were in use")
	}
	if err := v.close(); err != nil {
		s.Fatal(err)
	}
	if !forget() {
		s.Error("the sources are still there, and nobody uses them")
	}
}
