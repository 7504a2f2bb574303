package nearest

import (
	"strings"
	"testing"
)

func TestTo(t *testing.T) {
	names := []string{"hyperkube", "kube-proxy", "kube-apiserver", "etcd"}
	for word, want := range map[string]string{"hyperkub": "hyperkube", "Hyperkube": "hyperkube", "kube-poxy": "kube-proxy", "pause": "", "": "", "etc": "etcd", "e": ""} {
		if got := To(word, names); got != want {
			t.Errorf("To(%q) = %q, want %q", word, got, want)
		}
	}
	if To(strings.Repeat("x", 1<<20), names) != "" {
		t.Error("a word of a megabyte is near something")
	}
}
