// Package httplimit bounds HTTP responses: the time that servers take, the size of
// documents, and redirects.
package httplimit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Limits bound the time that a server takes for the body of a response.
type Limits struct {
	// Idle bounds the time of one read.
	Idle time.Duration
	// MinRate is the minimum average rate in bytes per second over each Window.
	// The first window does not count: a server may start slowly.
	MinRate int64
	Window  time.Duration
}

// Default allows for slow connections, but not for a server that sends so little
// that a download never ends.
var Default = Limits{Idle: 60 * time.Second, MinRate: 1 << 10, Window: 60 * time.Second}

// NewTransport returns a transport with limits for response bodies. It escapes
// control characters in the reason phrase of a response, which errors repeat.
func NewTransport(inner http.RoundTripper, limits Limits) http.RoundTripper {
	return &transport{inner, limits}
}

type transport struct {
	inner  http.RoundTripper
	limits Limits
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	response, err := t.inner.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Status = Escape(response.Status)
	response.Body = &body{ReadCloser: response.Body, ctx: ctx, cancel: cancel, limits: t.limits}
	return response, nil
}

// body is a response body with limits. The time between reads does not count: the
// caller may be slow.
type body struct {
	io.ReadCloser
	ctx    context.Context // of the request; canceling it ends a blocked read
	cancel context.CancelCauseFunc
	limits Limits

	counted bool          // whether the rate of this window counts
	waited  time.Duration // in reads of this window
	n       int64         // bytes of this window
}

// timeoutError is a [net.Error], which a retry may avoid.
type timeoutError string

func (e timeoutError) Error() string { return string(e) }

func (timeoutError) Timeout() bool { return true }

func (timeoutError) Temporary() bool { return true }

func (b *body) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.limits.Idle, func() {
		b.cancel(timeoutError(fmt.Sprintf("server sent nothing for %v", b.limits.Idle)))
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
func (b *body) checkRate(n int, took time.Duration) error {
	b.n += int64(n)
	if b.waited += took; b.waited < b.limits.Window {
		return nil
	}
	if rate := float64(b.n) / b.waited.Seconds(); b.counted && rate < float64(b.limits.MinRate) {
		return timeoutError(fmt.Sprintf("server sent %d bytes in %v, want at least %d bytes per second", b.n, b.waited.Round(time.Millisecond), b.limits.MinRate))
	}
	b.counted, b.waited, b.n = true, 0, 0
	return nil
}

func (b *body) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// MaxSize returns a transport whose response bodies have at most n bytes.
func MaxSize(inner http.RoundTripper, n int64) http.RoundTripper { return &maxSize{inner, n} }

type maxSize struct {
	inner http.RoundTripper
	n     int64
}

func (t *maxSize) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.inner.RoundTrip(r)
	if err == nil {
		response.Body = &maxBody{response.Body, t.n, t.n}
	}
	return response, err
}

type maxBody struct {
	io.ReadCloser
	n, left int64
}

func (b *maxBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("response has more than %d bytes", b.n)
	}
	return n, err
}
