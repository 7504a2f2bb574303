package content

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxDocument is the maximum size of an image manifest or index in bytes, which
// registries limit to the same size.
const maxDocument = 4 << 20

// documentTransport limits responses to requests for documents, which the
// registry library reads into memory.
type documentTransport struct{ http.RoundTripper }

func (t documentTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil || isBlob(r) {
		return response, err
	}
	if response.ContentLength > maxDocument {
		response.Body.Close()
		return nil, fmt.Errorf("response has %d bytes, want at most %d", response.ContentLength, maxDocument)
	}
	response.Body = &limitedBody{ReadCloser: response.Body, left: maxDocument}
	return response, nil
}

// isBlob reports whether a request is for a blob, or was redirected from one.
func isBlob(r *http.Request) bool {
	for r.Response != nil && r.Response.Request != nil {
		r = r.Response.Request
	}
	return strings.Contains(r.URL.Path, "/blobs/")
}

// limitedBody is a response body that fails after a number of bytes.
type limitedBody struct {
	io.ReadCloser
	left int64
}

func (l *limitedBody) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("response has more than %d bytes", maxDocument)
	}
	return n, err
}
