package main

import (
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/hyperkube/hyperkube/versions"
)

// server answers on loopback for every host that Bazel contacts. The first element
// of a path is the host.
type server struct {
	url      string
	log      io.Writer
	http     *http.Server
	archives *archives
	pinned   map[string]string // files of the store, by path
	mutex    sync.Mutex
	requests map[string]bool // paths, without the image registry
}

// newServer starts a server that ends with close. Its log has the requests without
// an answer.
func newServer(c config, lock *versions.Lock, log io.Writer) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	s := &server{
		url:      "http://" + listener.Addr().String(),
		log:      log,
		archives: &archives{registry: c.registry, modules: c.modules, dir: c.path("archives")},
		pinned:   map[string]string{},
		requests: map[string]bool{},
	}
	for _, pin := range lock.Pins() {
		if _, name, ok := strings.Cut(pin.URL, "://"); ok {
			s.pinned["/"+name] = filepath.Join(c.store, "sha256", pin.SHA256.String())
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/v2/", registry.New(registry.Logger(stdlog.New(io.Discard, "", 0))))
	mux.HandleFunc("/", s.serve)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go s.http.Serve(listener)
	return s, nil
}

func (s *server) close() { s.http.Close() }

func (s *server) host() string { return strings.TrimPrefix(s.url, "http://") }

// serve answers with a file, and remembers the request.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	s.requests[r.URL.Path] = true
	s.mutex.Unlock()
	name, err := s.find(r)
	if err != nil {
		fmt.Fprintf(s.log, "onlinetest: no answer to %s: %v\n", r.URL.Path, err)
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	http.ServeFile(w, r, name)
}

// find returns the path of the file that answers a request.
func (s *server) find(r *http.Request) (string, error) {
	if file, ok := s.pinned[r.URL.Path]; ok {
		return file, nil
	}
	host, name, _ := strings.Cut(strings.TrimPrefix(path.Clean(r.URL.Path), "/"), "/")
	switch host {
	case "registry":
		return s.archives.registryFile(r.Context(), name)
	case "dl.google.com":
		return filepath.Join(s.archives.dir, path.Base(name)), nil
	case "github.com":
		return s.archives.download(r.Context(), "https://github.com/"+name)
	}
	return "", fmt.Errorf("%s is not served", r.URL.Path)
}

// from returns the requested paths of a host, sorted.
func (s *server) from(host string) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var all []string
	for name := range s.requests {
		if strings.HasPrefix(name, "/"+host+"/") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// checkNoBinaries returns an error if a binary of Kubernetes was requested.
func (s *server) checkNoBinaries() error {
	if requested := s.from("dl.k8s.io"); len(requested) > 0 {
		return fmt.Errorf("got requests for %q, want none for binaries of Kubernetes", requested)
	}
	return nil
}

// knownHosts are hosts that Bazel may contact.
var knownHosts = regexp.MustCompile(`^/(registry/|github\.com/|dl\.google\.com/|dl\.k8s\.io/)`)

// checkNoUnknownHosts returns an error if Bazel contacted a host that the online
// profile does not need.
func (s *server) checkNoUnknownHosts() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var unknown []string
	for name := range s.requests {
		if !knownHosts.MatchString(name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("got requests for %q, want none but for modules, Go and binaries of Kubernetes", unknown)
	}
	return nil
}

// report prints the number of requests of each host.
func (s *server) report(w io.Writer) {
	for _, host := range []string{"registry", "github.com", "dl.google.com", "dl.k8s.io"} {
		fmt.Fprintf(w, "requested from %s: %d files\n", host, len(s.from(host)))
	}
}
