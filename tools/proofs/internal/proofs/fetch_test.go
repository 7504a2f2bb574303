package proofs

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstoretest"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/upstream"
	"github.com/hyperkube/hyperkube/versions"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

// server is upstream and its transparency log.
type server struct {
	t        *testing.T
	files    map[string][]byte                             // by path
	entries  map[string][]*protorekor.TransparencyLogEntry // by sha256
	failures atomic.Int32                                  // requests to fail first
	requests atomic.Int32
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if s.failures.Add(-1) >= 0 {
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	var response any
	switch r.URL.Path {
	case "/api/v1/index/retrieve":
		var request struct{ Hash string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			s.t.Error(err)
		}
		ids := []string{}
		for i := range s.entries[strings.TrimPrefix(request.Hash, "sha256:")] {
			ids = append(ids, request.Hash+"/"+string(rune('a'+i)))
		}
		response = ids
	case "/api/v1/log/entries/retrieve":
		var request struct{ EntryUUIDs []string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil || len(request.EntryUUIDs) > 10 {
			s.t.Errorf("got %v, %v", request, err)
		}
		type object = map[string]any
		list := []object{}
		for _, id := range request.EntryUUIDs {
			hash, i, _ := strings.Cut(strings.TrimPrefix(id, "sha256:"), "/")
			e := s.entries[hash][i[0]-'a']
			list = append(list, object{id: object{
				"body": base64.StdEncoding.EncodeToString(e.CanonicalizedBody), "integratedTime": e.IntegratedTime,
				"logID": hex.EncodeToString(e.LogId.KeyId), "logIndex": e.LogIndex,
				"verification": object{"signedEntryTimestamp": base64.StdEncoding.EncodeToString(e.InclusionPromise.SignedEntryTimestamp)},
			}})
		}
		response = list
	default:
		data, ok := s.files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
		}
		w.Write(data)
		return
	}
	if err := json.NewEncoder(w).Encode(response); err != nil {
		s.t.Error(err)
	}
}

// publish signs data, and publishes the signature at a path as upstream does, and its
// entry in the log after one of another signer.
func (s *server) publish(a *sigstoretest.Authority, path, data, identity string) {
	signed := a.Sign([]byte(data), sigstoretest.Options{Identity: identity, Issuer: google})
	s.files[path+".sig"] = []byte(base64.StdEncoding.EncodeToString(signed.Signature))
	s.files[path+".cert"] = []byte(base64.StdEncoding.EncodeToString(signed.Certificate))
	other := a.Sign([]byte(data), sigstoretest.Options{Identity: "mallory@example.org", Issuer: google})
	hash := digest([]byte(data)).String()
	s.entries[hash] = append(s.entries[hash], other.Entry, signed.Entry)
}

func TestFetch(t *testing.T) {
	const base = "/release/v1.36.0/"
	const kubelet, kubectl, mismatch = base + "bin/linux/amd64/kubelet", base + "bin/linux/amd64/kubectl", "/release/v1.35.0/bin/linux/amd64/kubectl"
	const bundles = "versions/proofs/v1.36.0/bin/linux/amd64/"
	const listing = "versions/proofs/v1.36.0/kubernetes-release.spdx.sigstore.json"
	doc := string(newDocument("v1.36.0", listed("kubelet", names[1]), listed("kubectl", names[2])))
	both := func(s *server, a *sigstoretest.Authority) {
		s.publish(a, kubelet, names[1], staging)
		s.publish(a, kubectl, names[2], staging)
	}
	document := func(s *server, a *sigstoretest.Authority) {
		s.files[base+Document] = []byte(doc)
		s.publish(a, base+Document, doc, staging)
	}
	tests := []struct {
		name      string
		publish   func(*server, *sigstoretest.Authority)
		documents bool
		kubectl   string // status and path
		kubelet   string
		n         Fetched
		err       string
	}{
		{
			name: "files", publish: both, n: Fetched{Bundles: 2, Unpublished: 1},
			kubectl: "proven " + bundles + "kubectl.sigstore.json", kubelet: "proven " + bundles + "kubelet.sigstore.json",
		},
		{
			name: "server fails first", n: Fetched{Bundles: 2, Unpublished: 1},
			publish: func(s *server, a *sigstoretest.Authority) { both(s, a); s.failures.Store(3) },
			kubectl: "proven " + bundles + "kubectl.sigstore.json", kubelet: "proven " + bundles + "kubelet.sigstore.json",
		},
		{
			name: "document in place of a signature", n: Fetched{Bundles: 2, Unpublished: 1},
			publish: func(s *server, a *sigstoretest.Authority) {
				document(s, a)
				s.publish(a, kubelet, names[1], staging)
			},
			kubectl: "proven " + listing, kubelet: "proven " + bundles + "kubelet.sigstore.json",
		},
		{
			name: "document first", documents: true, n: Fetched{Bundles: 1, Unpublished: 1},
			publish: func(s *server, a *sigstoretest.Authority) { both(s, a); document(s, a) },
			kubectl: "proven " + listing, kubelet: "proven " + listing,
		},
		{
			name: "document in place of a refused signature", n: Fetched{Bundles: 2, Unpublished: 1},
			publish: func(s *server, a *sigstoretest.Authority) {
				both(s, a)
				s.publish(a, kubelet, "other bytes", staging)
				document(s, a)
			},
			kubectl: "proven " + bundles + "kubectl.sigstore.json", kubelet: "proven " + listing,
		},
		{
			name: "signature of other bytes", n: Fetched{Bundles: 1, Unpublished: 1},
			publish: func(s *server, a *sigstoretest.Authority) {
				both(s, a)
				s.publish(a, kubelet, "other bytes", staging)
			},
			kubectl: "proven " + bundles + "kubectl.sigstore.json", kubelet: "missing",
			err: "kubernetes/v1.36.0/linux/amd64/kubelet: the time of the signature is not proven: the bundle has no entry",
		},
		{
			name: "known mismatch", n: Fetched{Bundles: 2},
			publish: func(s *server, a *sigstoretest.Authority) {
				both(s, a)
				s.publish(a, mismatch, "other bytes", staging)
			},
			kubectl: "proven " + bundles + "kubectl.sigstore.json", kubelet: "proven " + bundles + "kubelet.sigstore.json",
		},
		{
			name: "other signer", n: Fetched{Bundles: 1, Unpublished: 1},
			publish: func(s *server, a *sigstoretest.Authority) {
				s.publish(a, kubelet, names[1], staging)
				s.publish(a, kubectl, names[2], "mallory@example.org")
			},
			kubectl: "missing", kubelet: "proven " + bundles + "kubelet.sigstore.json", err: "does not accept the signer",
		},
		{
			name: "error page in place of a certificate", n: Fetched{Bundles: 1, Unpublished: 1},
			publish: func(s *server, a *sigstoretest.Authority) {
				both(s, a)
				s.files[kubelet+".cert"] = []byte("<?xml version='1.0'?><Error>")
			},
			kubectl: "proven " + bundles + "kubectl.sigstore.json", kubelet: "missing", err: "want a PEM block CERTIFICATE",
		},
		{
			name:    "large response",
			publish: func(s *server, _ *sigstoretest.Authority) { s.files[kubelet+".sig"] = make([]byte, 1<<20) },
			kubectl: "missing", kubelet: "missing", err: "want at most 65536 bytes, got more",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			s := &server{t: t, files: map[string][]byte{}, entries: map[string][]*protorekor.TransparencyLogEntry{}}
			http := httptest.NewServer(s)
			defer http.Close()
			for _, pin := range f.lock.Pins() {
				pin.URL = "https://dl.k8s.io/release/" + pin.Version.String() + "/" + ReleasePath(pin.FileKey)
				f.lock.Set(pin)
			}
			test.publish(s, f.authority)
			o := FetchOptions{
				Client:   &upstream.Client{Mirror: http.URL, Rekor: http.URL, Backoff: time.Millisecond},
				Progress: progress.New(t.Output(), func(string) string { return "" }), Documents: test.documents,
			}
			n, err := f.Fetch(context.Background(), o)
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got error %v, want %q", err, test.err)
			}
			if test.n != (Fetched{}) && n != test.n {
				t.Errorf("got %+v, want %+v", n, test.n)
			}
			want := none + "v1.36.0/linux/amd64/kubectl " + test.kubectl + "\nv1.36.0/linux/amd64/kubelet " + test.kubelet
			if got := f.statuses(); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if n, _ := f.Fetch(context.Background(), o); n.Bundles != 0 {
				t.Errorf("the second run stored %+v", n)
			}
		})
	}
}

func TestFetchCanceled(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := f.Fetch(ctx, FetchOptions{Client: &upstream.Client{}, Progress: progress.New(t.Output(), func(string) string { return "" })})
	if err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("got error %v", err)
	}
}

// A server that fails gets no more requests than those of the first files.
func TestFetchServerFails(t *testing.T) {
	f := newFixture(t)
	s := &server{t: t}
	s.failures.Store(1000)
	http := httptest.NewServer(s)
	defer http.Close()
	for i := range 20 {
		k := key(t, "v1.36.1 f"+string(rune('a'+i)))
		f.lock.Set(versions.Pin{FileKey: k, URL: "https://dl.k8s.io/" + k.File, SHA256: digest([]byte(k.File))})
	}
	_, err := f.Fetch(context.Background(), FetchOptions{
		Client:   &upstream.Client{Mirror: http.URL, Rekor: http.URL, Backoff: time.Millisecond},
		Progress: progress.New(t.Output(), func(string) string { return "" }),
	})
	if err == nil || !strings.Contains(err.Error(), "got status 503") {
		t.Errorf("got error %v", err)
	}
	if n := s.requests.Load(); n > 5*parallel+parallel {
		t.Errorf("got %d requests", n)
	}
}
