package content

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
)

// IdleTimeout is the time that a server may send nothing.
const IdleTimeout = 60 * time.Second

// NewTransport returns a transport with timeouts for connecting and for servers
// that send nothing for the given time. It does not limit the total time.
func NewTransport(idleTimeout time.Duration) http.RoundTripper {
	return &timeoutTransport{idleTimeout: idleTimeout, inner: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: idleTimeout,
		// The sum is that of the bytes as they are stored.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
	}}
}

type timeoutTransport struct {
	inner       http.RoundTripper
	idleTimeout time.Duration
}

func (t *timeoutTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	// Registry clients fall back to http for private addresses, and follow any
	// URL that a registry returns. Both could send a password in plain text.
	if !source.IsSecure(r.URL) {
		return nil, fmt.Errorf("refusing to connect to %s over %s: want https", r.URL.Host, r.URL.Scheme)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	response, err := t.inner.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Body = &idleTimeoutBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, idleTimeout: t.idleTimeout}
	return response, nil
}

// idleTimeoutBody is a response body whose reads have a timeout. The time between
// reads does not count: the writer may be slow.
type idleTimeoutBody struct {
	io.ReadCloser
	ctx         context.Context // of the request; canceling it ends a blocked read
	cancel      context.CancelCauseFunc
	idleTimeout time.Duration
}

func (b *idleTimeoutBody) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.idleTimeout, func() {
		b.cancel(fmt.Errorf("server sent nothing for %v", b.idleTimeout))
	})
	n, err := b.ReadCloser.Read(p)
	timer.Stop()
	if err != nil && err != io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

func (b *idleTimeoutBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}
