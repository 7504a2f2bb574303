package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/progress"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

const (
	// maxDownload bounds a file whose size is not in the lock, in bytes. The
	// largest binary ever published has an eighth of it.
	maxDownload  = 1 << 30
	maxAttempts  = 4
	firstBackoff = 2 * time.Second
	// idleTimeout bounds the time between two reads of a response.
	idleTimeout = 60 * time.Second
	// responseTimeout bounds a request for a small document.
	responseTimeout = 60 * time.Second
)

// client reports an unreachable server after seconds. The context and the idle
// timeout bound the rest of a request.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	TLSHandshakeTimeout:   10 * time.Second,
	ResponseHeaderTimeout: 30 * time.Second,
	DisableCompression:    true, // the digest is of the file as stored
}}

// download brings a file from upstream or its mirror into the store.
func (f *Fetcher) download(ctx context.Context, pin versions.Pin) error {
	u, err := f.downloadURL(pin)
	if err != nil {
		return err
	}
	return f.retry(ctx, pin.FileKey.String(), u.Redacted(), func() error { return f.downloadOnce(ctx, pin, u) })
}

// retry calls attempt again, with backoff, as long as it fails with a
// [transientError].
func (f *Fetcher) retry(ctx context.Context, name, from string, attempt func() error) error {
	for n, backoff := 1, firstBackoff; ; n, backoff = n+1, 2*backoff {
		err := attempt()
		var transient *transientError
		if ctx.Err() != nil {
			return fmt.Errorf("downloading %q: %w", from, context.Cause(ctx))
		}
		if err == nil || n == maxAttempts || !errors.As(err, &transient) {
			return err
		}
		f.Progress.Logf("%s: %v; retrying in %v", name, err, backoff)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff):
		}
	}
}

// downloadURL returns the URL of a file at upstream or its mirror.
func (f *Fetcher) downloadURL(pin versions.Pin) (*url.URL, error) {
	if pin.URL == "" {
		return nil, fmt.Errorf("%s has no URL in %s", pin.FileKey, versions.LockFile)
	}
	u, err := url.Parse(pin.URL)
	if err == nil && f.Upstream != "" {
		u, err = url.Parse(strings.TrimSuffix(f.Upstream, "/") + u.EscapedPath())
	}
	if err != nil {
		return nil, fmt.Errorf("parsing the URL of %s: %w", pin.FileKey, err)
	}
	return u, nil
}

// transientError is an error that a retry may avoid.
type transientError struct{ error }

func (e *transientError) Unwrap() error { return e.error }

// localError is an error of the store, which a build from source would meet, too.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }

func (f *Fetcher) downloadOnce(ctx context.Context, pin versions.Pin, u *url.URL) error {
	ctx, reset, stop := withIdleTimeout(ctx)
	defer stop()
	from := u.Redacted()
	response, err := get(ctx, u)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	size := max(pin.Size, response.ContentLength)
	task := f.Progress.Start("downloading "+pin.FileKey.String(), "bytes", size)
	body := &progressReader{r: io.LimitReader(response.Body, maxDownload), reset: reset, task: task}
	err = f.put(ctx, pin.SHA256, pin.Size, from, body, size)
	var mismatch *store.MismatchError
	if errors.As(err, &mismatch) {
		return f.describeMismatch(pin, mismatch, body.head)
	}
	return err
}

// put stores the body of a response that announces a size, and ends its task.
func (f *Fetcher) put(ctx context.Context, d versions.Digest, size int64, from string, body *progressReader, announced int64) error {
	err := f.Store.Put(ctx, d, size, from, body)
	if err == nil {
		body.task.Done()
		return nil
	}
	body.task.Fail()
	var mismatch *store.MismatchError
	switch {
	case errors.As(err, &mismatch):
		return err
	case context.Cause(ctx) != nil:
		err = context.Cause(ctx)
	case errors.Is(body.err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("unexpected EOF after %d of %d bytes of the response", body.n, announced)
	case body.err == nil:
		return &localError{err}
	}
	return &transientError{fmt.Errorf("downloading %q: %w", from, err)}
}

// get returns the response to a GET request if its status is 200.
func get(ctx context.Context, u *url.URL) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("downloading %q: %w", u.Redacted(), err)
	}
	response, err := client.Do(request)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return nil, fmt.Errorf("downloading: %w", err) // no network, or no such host
		}
		return nil, &transientError{fmt.Errorf("downloading: %w", err)}
	}
	if response.StatusCode != http.StatusOK {
		err := fmt.Errorf("downloading %q: got status %s", u.Redacted(), response.Status)
		if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
			err = &transientError{err}
		}
		return nil, errors.Join(err, response.Body.Close())
	}
	return response, nil
}

// withIdleTimeout returns a context that ends idleTimeout after the last call of
// reset.
func withIdleTimeout(ctx context.Context) (_ context.Context, reset, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(idleTimeout, func() { cancel(fmt.Errorf("no data for %v", idleTimeout)) })
	return ctx, func() { timer.Reset(idleTimeout) }, func() { timer.Stop(); cancel(nil) }
}

// progressReader reports the progress of reading r, and keeps its first bytes.
type progressReader struct {
	r     io.Reader
	reset func() // of the idle timeout
	task  *progress.Task
	head  []byte
	n     int64
	err   error // other than io.EOF
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.head = append(p.head, b[:min(n, store.HeadSize-len(p.head))]...)
	p.n += int64(n)
	p.reset()
	p.task.Add(int64(n))
	if err != io.EOF {
		p.err = err
	}
	return n, err
}
