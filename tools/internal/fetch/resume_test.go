package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// rangeServer serves a file with ranges. It sends only a part of the first
// responses.
type rangeServer struct {
	data      []byte
	header    http.Header
	interrupt int // number of responses
	noRanges  bool
	refuse    int // status for requests with a range, unless 0

	sync.Mutex
	ranges []string // of the requests
	sent   int      // bytes
}

func (s *rangeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	if s.refuse != 0 && r.Header.Get("Range") != "" {
		w.WriteHeader(s.refuse)
		return
	}
	for key := range s.header {
		w.Header().Set(key, s.header.Get(key))
	}
	counter := &limitedWriter{ResponseWriter: w, left: len(s.data)}
	if len(s.ranges) <= s.interrupt {
		counter.left = len(s.data) / 4
	}
	defer func() { s.sent += counter.n }()
	if s.noRanges {
		w.Header().Set("Content-Length", fmt.Sprint(len(s.data)))
		counter.Write(s.data)
	} else {
		modified, _ := http.ParseTime(s.header.Get("Last-Modified"))
		http.ServeContent(counter, r, "", modified, bytes.NewReader(s.data))
	}
	if counter.left == 0 && counter.n < len(s.data) && len(s.ranges) <= s.interrupt {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// limitedWriter drops the bytes after a number of them.
type limitedWriter struct {
	http.ResponseWriter
	left, n int
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.n += n
	_, err := l.ResponseWriter.Write(p[:n])
	return len(p), err
}

func TestDownloadResumes(t *testing.T) {
	data := program(kubelet)
	quarter := fmt.Sprintf("bytes=%d-", len(data)/4)
	for name, test := range map[string]struct {
		header   http.Header
		noRanges bool
		want     []string // ranges
	}{
		"entity tag":        {header: http.Header{"Etag": {`"1"`}}, want: []string{"", quarter, fmt.Sprintf("bytes=%d-", len(data)/2)}},
		"date":              {header: http.Header{"Last-Modified": {"Wed, 21 Oct 2015 07:28:00 GMT"}}, want: []string{"", quarter, fmt.Sprintf("bytes=%d-", len(data)/2)}},
		"weak entity tag":   {header: http.Header{"Etag": {`W/"1"`}}, want: []string{"", "", ""}},
		"no validator":      {want: []string{"", "", ""}},
		"server sends all":  {header: http.Header{"Etag": {`"1"`}}, noRanges: true, want: []string{"", quarter, quarter}},
		"no ranges offered": {header: http.Header{"Etag": {`"1"`}, "Accept-Ranges": {"none"}}, noRanges: true, want: []string{"", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &rangeServer{data: data, header: test.header, interrupt: 2, noRanges: test.noRanges}
			s, pin, log := newFetcher(t, server)
			u, err := s.downloadURL(pin)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := s.downloadOnce(t.Context(), pin, u); err == nil {
					t.Fatal("no error of an interrupted download")
				}
			}
			if err := s.Ensure(t.Context(), pin); err != nil {
				t.Fatalf("%v; log: %s", err, log)
			}
			if fmt.Sprint(server.ranges) != fmt.Sprint(test.want) {
				t.Errorf("ranges %q, want %q", server.ranges, test.want)
			}
			if strings.HasSuffix(name, "tag") || name == "date" {
				if resumed := server.sent == len(data); resumed != (name != "weak entity tag") {
					t.Errorf("server sent %d of %d bytes", server.sent, len(data))
				}
			}
			if err := s.Store.Verify(pin.SHA256); err != nil {
				t.Error(err)
			}
		})
	}
}

// The digest of the whole file is verified: a part with other bytes is replaced.
func TestDownloadAfterWrongPart(t *testing.T) {
	data := program(kubelet)
	for name, part := range map[string][]byte{
		"other bytes": bytes.Repeat([]byte("x"), 1000),
		"complete":    data,
		"too long":    append(bytes.Clone(data), "xyz"...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &rangeServer{data: data, header: http.Header{"Etag": {`"1"`}}}
			s, pin, log := newFetcher(t, server)
			tmp := filepath.Join(t.TempDir(), "tmp")
			s.Store = store.New(filepath.Dir(tmp))
			if err := os.Mkdir(tmp, 0o755); err != nil {
				t.Fatal(err)
			}
			for suffix, content := range map[string][]byte{"": part, ".validator": []byte(`"1"`)} {
				if err := os.WriteFile(filepath.Join(tmp, pin.SHA256.String()+suffix), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Ensure(t.Context(), pin); err != nil {
				t.Fatalf("%v; log: %s", err, log)
			}
			want := []string{fmt.Sprintf("bytes=%d-", len(part)), ""}
			if name == "complete" {
				want = want[:1]
			}
			if fmt.Sprint(server.ranges) != fmt.Sprint(want) {
				t.Errorf("ranges %q, want %q", server.ranges, want)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

// A server or proxy that refuses ranges does not make a part block the download.
func TestDownloadRangeRefused(t *testing.T) {
	data := program(kubelet)
	server := &rangeServer{data: data, header: http.Header{"Etag": {`"1"`}}, interrupt: 1, refuse: http.StatusForbidden}
	s, pin, _ := newFetcher(t, server)
	u, err := s.downloadURL(pin)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.downloadOnce(t.Context(), pin, u); err == nil {
		t.Fatal("no error of an interrupted download")
	}
	if err := errors.Join(s.downloadOnce(t.Context(), pin, u), s.Store.Verify(pin.SHA256)); err != nil {
		t.Error(err)
	}
	if want := []string{"", fmt.Sprintf("bytes=%d-", len(data)/4), ""}; !slices.Equal(server.ranges, want) {
		t.Errorf("ranges %q, want %q", server.ranges, want)
	}
}

// downloadVariable makes the test binary download a file into a store: the directory
// of the store and the URL of a server.
const downloadVariable = "HYPERKUBE_TEST_DOWNLOAD"

func TestMain(m *testing.M) {
	dir, upstream, ok := strings.Cut(os.Getenv(downloadVariable), " ")
	if !ok {
		os.Exit(m.Run())
	}
	key, err := versions.ParseFileKey(kubelet)
	if err == nil {
		data := program(kubelet)
		f := &Fetcher{Store: store.New(dir), Upstream: upstream, Progress: progress.New(os.Stderr, nil)}
		err = f.download(context.Background(), versions.Pin{FileKey: key, SHA256: versions.NewDigest(sha256.Sum256(data)), URL: "https://dl.k8s.io/x"})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A process that is killed leaves a part, which the next one resumes.
func TestDownloadResumesAfterKill(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("does not resume without locks")
	}
	data := program(kubelet)
	server := &rangeServer{data: data, header: http.Header{"Etag": {`"1"`}}}
	half := make(chan struct{})
	s, pin, _ := newFetcher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/x" {
			server.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Etag", `"1"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		close(half)
		<-r.Context().Done()
	}))
	dir := t.TempDir()
	s.Store = store.New(dir)
	part := filepath.Join(dir, "tmp", pin.SHA256.String())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), downloadVariable+"="+dir+" "+s.Upstream)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-half
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(part); err == nil && info.Size() == int64(len(data)/2) {
			break
		}
		if time.Since(start) > 20*time.Second {
			t.Fatal("the process has not written the part")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := s.Ensure(t.Context(), pin); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("bytes=%d-", len(data)/2); len(server.ranges) != 1 || server.ranges[0] != want {
		t.Errorf("ranges %q, want %s", server.ranges, want)
	}
	if left, err := os.ReadDir(filepath.Dir(part)); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
