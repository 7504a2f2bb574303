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

// Limits bound the time that a server may take.
type Limits struct {
	// Idle is the time that a server may send nothing.
	Idle time.Duration
	// MinRate is the minimum average rate of a response in bytes per second over
	// each Window. The first window does not count: a server may start slowly.
	MinRate int64
	Window  time.Duration
}

// DefaultLimits allow for slow connections, but not for a server that sends so
// little that a download never ends.
var DefaultLimits = Limits{Idle: 60 * time.Second, MinRate: 1 << 10, Window: 60 * time.Second}

// NewTransport returns a transport with timeouts for connecting and the given
// limits for responses. It does not limit the total time.
func NewTransport(limits Limits) http.RoundTripper {
	return &timeoutTransport{limits: limits, inner: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: limits.Idle,
		// The sum is that of the bytes as they are stored.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
	}}
}

type timeoutTransport struct {
	inner  http.RoundTripper
	limits Limits
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
	response.Body = &timeoutBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, limits: t.limits}
	return response, nil
}

// timeoutBody is a response body whose reads have an idle timeout and a minimum
// rate. The time between reads does not count: the writer may be slow.
type timeoutBody struct {
	io.ReadCloser
	ctx    context.Context // of the request; canceling it ends a blocked read
	cancel context.CancelCauseFunc
	limits Limits

	counted bool          // whether the rate of this window counts
	waited  time.Duration // in reads of this window
	n       int64         // bytes of this window
}

func (b *timeoutBody) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.limits.Idle, func() {
		b.cancel(fmt.Errorf("server sent nothing for %v", b.limits.Idle))
	})
	start := time.Now()
	n, err := b.ReadCloser.Read(p)
	timer.Stop()
	if err == nil {
		err = b.checkRate(n, time.Since(start))
	}
	if err != nil && err != io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// checkRate adds a read to the window, and checks the rate at the end of it.
func (b *timeoutBody) checkRate(n int, took time.Duration) error {
	b.n += int64(n)
	if b.waited += took; b.waited < b.limits.Window {
		return nil
	}
	if rate := float64(b.n) / b.waited.Seconds(); b.counted && rate < float64(b.limits.MinRate) {
		return fmt.Errorf("server sent %d bytes in %v, want at least %d bytes per second", b.n, b.waited.Round(time.Millisecond), b.limits.MinRate)
	}
	b.counted, b.waited, b.n = true, 0, 0
	return nil
}

func (b *timeoutBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}
