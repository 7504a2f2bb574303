package registry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Who accepts a connection and never answers is given up.
func TestTransportGivesUp(t *testing.T) {
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer server.Close()
	defer close(end)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transportOf(100 * time.Millisecond).RoundTrip(request)
	if err == nil {
		response.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "timeout awaiting response headers") {
		t.Errorf("got %v, want that it was given up", err)
	}
	if got := patient().ResponseHeaderTimeout; got != silence {
		t.Errorf("pushes wait %v, want %v", got, silence)
	}
}
