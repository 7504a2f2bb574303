package httplimit

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// read reads a response whose body is written by serve.
func read(t *testing.T, transport func(http.RoundTripper) http.RoundTripper, serve http.HandlerFunc) (int, error) {
	t.Helper()
	server := httptest.NewServer(serve)
	defer server.Close()
	client := http.Client{Transport: transport(http.DefaultTransport)}
	response, err := client.Get(server.URL)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return len(body), err
}

func limited(l Limits) func(http.RoundTripper) http.RoundTripper {
	return func(inner http.RoundTripper) http.RoundTripper { return NewTransport(inner, l) }
}

func trickle(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		time.Sleep(time.Millisecond)
	}
}

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		limits Limits
		serve  http.HandlerFunc
		want   string
	}{
		"slow": {Limits{time.Minute, 1 << 20, 50 * time.Millisecond}, trickle, "want at least 1048576 bytes per second"},
		"idle": {Limits{50 * time.Millisecond, 1, time.Minute}, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "server sent nothing for 50ms"},
	} {
		var timeout net.Error
		if _, err := read(t, limited(test.limits), test.serve); err == nil || !strings.Contains(err.Error(), test.want) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: got %v, want a timeout, %q", name, err, test.want)
		}
	}
}

// A server that is fast on average may pause, and may start slowly.
func TestPauses(t *testing.T) {
	n, err := read(t, limited(Limits{time.Minute, 1 << 10, 50 * time.Millisecond}), func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
			w.Write(make([]byte, 1<<20))
		}
	})
	if n != 3<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// The time between two reads does not count: the disk may be slow.
func TestSlowCaller(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20)) }))
	defer server.Close()
	client := http.Client{Transport: NewTransport(http.DefaultTransport, Limits{50 * time.Millisecond, 1 << 30, 50 * time.Millisecond})}
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	time.Sleep(200 * time.Millisecond)
	if n, err := io.Copy(io.Discard, response.Body); n != 1<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestMaxSize(t *testing.T) {
	maxSize := func(inner http.RoundTripper) http.RoundTripper { return MaxSize(inner, 1000) }
	for size, want := range map[int]string{1000: "", 1001: "response has more than 1000 bytes"} {
		n, err := read(t, maxSize, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, size)) })
		if (err == nil) != (want == "") || err == nil && n != size || err != nil && err.Error() != want {
			t.Errorf("%d bytes: got %d, %v, want %q", size, n, err, want)
		}
	}
}

func TestCheckRedirect(t *testing.T) {
	request := func(url string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var many []string
	for i := range maxRedirects + 1 {
		many = append(many, "https://h.example/"+strings.Repeat("x", i))
	}
	for _, test := range []struct {
		via  []string
		next string
		want string
	}{
		{[]string{"https://a.example/x"}, "https://b.example/x?token=secret", ""},
		{[]string{"http://a.example/x"}, "https://b.example/x", ""},
		{[]string{"http://a.example/x"}, "http://b.example/x", ""},
		{many[1:], "https://h.example/end", ""},
		{[]string{"http://a.example/x"}, "file:///etc/passwd", `redirected to "file:///etc/passwd": want https or http`},
		{[]string{"https://a.example/x"}, "http://me:secret@b.example/x?token=secret", `redirected to "http://xxxxx@b.example/x": refusing to continue without encryption`},
		{[]string{"https://a.example/x", "https://a.example/y"}, "https://a.example/x", `redirected to "https://a.example/x": redirect loop`},
		{many, "https://h.example/end", `redirected to "https://h.example/end": more than 10 redirects`},
	} {
		var via []*http.Request
		for _, url := range test.via {
			via = append(via, request(url))
		}
		err := CheckRedirect(request(test.next), via)
		var refused *RedirectError
		if (err == nil) != (test.want == "") || err != nil && (err.Error() != test.want || !errors.As(err, &refused)) {
			t.Errorf("%v to %q: got %v, want %q", test.via, test.next, err, test.want)
		}
	}
}

func TestEscape(t *testing.T) {
	const text, want = "404 \x1b[2J\a\u009b\x80\n\t\u202e \"é\"", `404 \x1b[2J\a\u009b\x80\n\t\u202e "é"`
	if got := Escape(text); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	inner := errors.New(text)
	if err := EscapeError(inner); err.Error() != want || !errors.Is(err, inner) || EscapeError(nil) != nil {
		t.Errorf("got %v, want %s", err, want)
	}
}
