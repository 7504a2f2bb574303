package identify

import (
	"cmp"
	"slices"

	"github.com/hyperkube/hyperkube/tools/internal/kube/endoflife"
	"github.com/hyperkube/hyperkube/tools/internal/kube/results"
	"github.com/hyperkube/hyperkube/versions"
)

// Verdict is the result of an identification in one word.
type Verdict string

// Verdicts.
const (
	// Official files have the bytes that upstream Kubernetes published.
	Official Verdict = "official"
	// Pinned files have a pin in the lock, but others built them: this repository, or
	// a fork of Kubernetes.
	Pinned Verdict = "pinned"
	// Recorded digests are those of images of this repository, and of packages and
	// archives that files of these images come from.
	Recorded Verdict = "recorded"
	// Declared images are in the manifest and have no record.
	Declared Verdict = "declared"
	// Differs is said of Kubernetes binaries that have no pin.
	Differs Verdict = "differs"
	// NotFound is said of everything else.
	NotFound Verdict = "unknown"
)

// OK reports whether the lock or the records have the bytes or the image.
func (v Verdict) OK() bool { return v != Differs && v != NotFound }

// Answer says what an input is.
type Answer struct {
	Input   string  `json:"input"`
	Verdict Verdict `json:"verdict"`
	File    *Facts  `json:"file,omitempty"` // nil unless the bytes were read
	Pins    []Pin   `json:"pins,omitempty"` // with the sha256
	// Nearest is the pin that an unpinned file resembles.
	Nearest *Pin `json:"nearest,omitempty"`
	// Compressed has the answer for the content of a compressed file.
	Compressed *Answer    `json:"compressed,omitempty"`
	Documents  []Document `json:"documents,omitempty"`
	Notes      []string   `json:"notes,omitempty"` // sentences for people
	// Error is the reason why the input could not be examined.
	Error string `json:"error,omitempty"`
}

// Pin is a pin of the lock with everything that is known about it.
type Pin struct {
	Key       string            `json:"key"`
	Version   versions.Version  `json:"version,omitzero"`
	Platform  versions.Platform `json:"platform"`
	Binary    string            `json:"binary"`
	Official  bool              `json:"official"`
	URL       string            `json:"url,omitempty"`
	SHA256    versions.Digest   `json:"sha256"`
	Size      int64             `json:"size,omitempty"`
	BuildDate string            `json:"buildDate,omitempty"`
	Commit    string            `json:"commit,omitempty"`
	// Rebuild is the last recorded rebuild from source.
	Rebuild   *results.Result `json:"rebuild,omitempty"`
	EndOfLife endoflife.Minor `json:"endOfLife,omitzero"`
	Supported bool            `json:"supported"` // by upstream, today
	Images    []Use           `json:"images,omitempty"`
}

// Find returns the pins of a sha256.
func (i *Index) Find(d versions.Digest) []Pin {
	var pins []Pin
	for _, pin := range i.pins[d] {
		pins = append(pins, i.describe(pin))
	}
	return pins
}

// phases has the phase of upstream's release that builds a binary; server unless
// listed. docs/rebuild.md explains phases.
var phases = map[string]string{
	"kubelet": "node", "kubeadm": "node", "kube-proxy": "node", "kube-log-runner": "node",
	"kubectl": "client", "kubectl-convert": "client",
}

func (i *Index) describe(pin versions.Pin) Pin {
	p := Pin{
		Key: pin.FileKey.String(), Version: pin.Version, Platform: pin.Platform, Binary: pin.File,
		Official: pin.Source == upstream, URL: pin.URL, SHA256: pin.SHA256, Size: pin.Size, Images: i.uses[pin.SHA256],
	}
	if pin.Version != (versions.Version{}) {
		p.EndOfLife = i.ends.Of(pin.Version)
		p.Supported = p.EndOfLife.Supported(i.now)
	}
	if !p.Official {
		return p
	}
	release := i.dates.Release(pin.Version)
	p.Commit = release.Commit.Hash
	if t, ok := release.Phases[cmp.Or(phases[pin.File], "server")]; ok {
		p.BuildDate = t.Date.Format("2006-01-02T15:04:05Z")
	}
	if r, ok := i.results[results.Key{Version: pin.Version, Platform: pin.Platform, Binary: pin.File}]; ok {
		p.Rebuild = &r
	}
	return p
}

// answer returns the answer for a digest, which has a pin or a record, or neither.
func (i *Index) answer(input string, d versions.Digest) Answer {
	a := Answer{Input: input, Verdict: NotFound, Pins: i.Find(d), Documents: i.documents["sha256:"+d.String()]}
	switch {
	case slices.ContainsFunc(a.Pins, func(p Pin) bool { return p.Official }):
		a.Verdict = Official
	case len(a.Pins) > 0:
		a.Verdict = Pinned
	case len(a.Documents) > 0:
		a.Verdict = Recorded
	}
	return a
}
