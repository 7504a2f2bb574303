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

// Silence is how long a connection may say nothing.
const Silence = 60 * time.Second

// NewTransport returns a transport that gives up on servers that cannot be
// reached, or that say nothing for the given time, and otherwise leaves the
// time to the context.
func NewTransport(silence time.Duration) http.RoundTripper {
	return &patient{silence: silence, inner: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: silence,
		// What is asked for is the file as it lies there.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
	}}
}

type patient struct {
	inner   http.RoundTripper
	silence time.Duration
}

func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	// Registries' clients fall back on http for private addresses, and follow
	// whatever a registry names; what they send may be a password.
	if !source.Allowed(r.URL) {
		return nil, fmt.Errorf("%s is not asked by %s; want https", r.URL.Host, r.URL.Scheme)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	response, err := p.inner.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Body = &watched{ReadCloser: response.Body, ctx: ctx, cancel: cancel, silence: p.silence}
	return response, nil
}

// watched is a body that must not keep its reader waiting. Between reads the
// clock stands: a slow disk is not the server's fault.
type watched struct {
	io.ReadCloser
	ctx     context.Context // the body's own, which ends what the read waits for
	cancel  context.CancelCauseFunc
	silence time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	timer := time.AfterFunc(w.silence, func() {
		w.cancel(fmt.Errorf("the server said nothing for %v", w.silence))
	})
	n, err := w.ReadCloser.Read(p)
	timer.Stop()
	if err != nil && err != io.EOF && w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	return n, err
}

func (w *watched) Close() error {
	defer w.cancel(nil)
	return w.ReadCloser.Close()
}
