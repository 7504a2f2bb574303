package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
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
	// responseTimeout bounds a request for a small document.
	responseTimeout = 60 * time.Second
)

var defaultClient = newClient(httplimit.Default)

// newClient returns a client that reports an unreachable server after seconds. The
// limits bound the rest of a request.
func newClient(limits httplimit.Limits) *http.Client {
	return &http.Client{
		CheckRedirect: httplimit.CheckRedirect,
		Transport: httplimit.NewTransport(&http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			DisableCompression:    true, // the digest is of the file as stored
		}, limits),
	}
}

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
			return fmt.Errorf("downloading %q: %w", from, context.Cause(ctx))
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

// localError is an error of the store. A build from source would fail with it, too.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }

func (f *Fetcher) downloadOnce(ctx context.Context, pin versions.Pin, u *url.URL) error {
	return f.transfer(ctx, transfer{
		title: "downloading " + pin.FileKey.String(), client: cmp.Or(f.client, defaultClient), url: u,
		digest: pin.SHA256, size: pin.Size, limit: maxDownload,
		describe: func(mismatch *store.MismatchError, head []byte, encoding string) error {
			return f.describeMismatch(pin, mismatch, head, encoding)
		},
	})
}

// transfer is a download of one file.
type transfer struct {
	title  string // for progress
	client *http.Client
	url    *url.URL
	digest versions.Digest
	size   int64 // in bytes, or 0 if it is not known
	limit  int64 // of the size, in bytes
	// describe adds what the bytes of a mismatch are, unless nil.
	describe func(mismatch *store.MismatchError, head []byte, encoding string) error
}

// transfer brings a file into the store, and continues an interrupted transfer.
func (f *Fetcher) transfer(ctx context.Context, t transfer) error {
	part, err := f.Store.Partial(t.digest)
	if err != nil {
		return &localError{err}
	}
	defer part.Close()
	response, resumed, err := t.resume(ctx, part)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	from := describeSource(t.url, response)
	var have int64
	if resumed {
		have = part.Size
	}
	announced := response.ContentLength
	if have+announced > t.limit {
		return fmt.Errorf("downloading %q: want at most %d bytes, got a response of %d", from, t.limit, announced)
	}
	task := f.Progress.Start(t.title, "bytes", max(t.size, have+announced))
	task.Add(have)
	// One byte more than the limit reveals a file that is too large.
	body := &progressReader{r: io.LimitReader(response.Body, t.limit-have+1), task: task}
	err = put(ctx, body, from, max(t.size-have, announced), func() error {
		return part.Put(ctx, t.size, from, body, resumed, validator(response))
	})
	var local *localError
	var mismatch *store.MismatchError
	switch {
	case errors.As(err, &local):
		part.Discard() // the disk may be full
	case have+body.n > t.limit && t.size == 0:
		return fmt.Errorf("downloading %q: want at most %d bytes, got more", from, t.limit)
	case errors.As(err, &mismatch) && resumed:
		// The part, which is removed, may come from another version of the file.
		return &transientError{fmt.Errorf("%w; the first %d bytes are from an interrupted download", err, have)}
	case errors.As(err, &mismatch) && t.describe != nil:
		return t.describe(mismatch, body.head, response.Header.Get("Content-Encoding"))
	}
	return err
}

// put stores the body of a response that announces a size, and ends its task.
func put(ctx context.Context, body *progressReader, from string, announced int64, write func() error) error {
	err := write()
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
	default:
		err = body.err
	}
	return &transientError{fmt.Errorf("downloading %q: %w", from, err)}
}

// resume requests the bytes that follow a part of a file, and reports whether the
// response has only these. A server that has no ranges, or another version of the
// file, sends the whole file.
func (t transfer) resume(ctx context.Context, part *store.Partial) (*http.Response, bool, error) {
	if part.Size == 0 {
		response, err := get(ctx, t.client, t.url, nil)
		return response, false, err
	}
	response, err := get(ctx, t.client, t.url, http.Header{
		"Range": {fmt.Sprintf("bytes=%d-", part.Size)}, "If-Range": {part.Validator},
	})
	if err != nil {
		return nil, false, err
	}
	if response.StatusCode == http.StatusOK {
		return response, false, nil
	}
	if response.StatusCode == http.StatusRequestedRangeNotSatisfiable { // nothing follows
		err := response.Body.Close()
		response.Body, response.ContentLength = http.NoBody, 0
		return response, true, err
	}
	if got := response.Header.Get("Content-Range"); !strings.HasPrefix(got, fmt.Sprintf("bytes %d-", part.Size)) {
		part.Discard()
		err := fmt.Errorf("downloading %q: got status %s and range %q for bytes from %d", describeSource(t.url, response), response.Status, got, part.Size)
		return nil, false, errors.Join(&transientError{err}, response.Body.Close())
	}
	return response, true, nil
}

// validator returns the header of a response that identifies the version of the
// file, if the server has ranges.
func validator(response *http.Response) string {
	if response.Header.Get("Accept-Ranges") == "none" {
		return ""
	}
	tag := response.Header.Get("ETag")
	if strings.HasPrefix(tag, "W/") {
		tag = ""
	}
	return cmp.Or(tag, response.Header.Get("Last-Modified"))
}

// get returns the response to a GET request if its status is 200, or also 206 or
// 416 if the header has a range. Servers that refuse the range get a request
// without it.
func get(ctx context.Context, client *http.Client, u *url.URL, header http.Header) (*http.Response, error) {
	from := u.Redacted()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("downloading %q: %w", from, err)
	}
	maps.Copy(request.Header, header)
	response, err := client.Do(request)
	if err != nil {
		err = fmt.Errorf("downloading %q: %w", from, requestError(u, err))
		var redirect *httplimit.RedirectError
		var dns *net.DNSError
		if errors.As(err, &redirect) || errors.As(err, &dns) && dns.IsNotFound { // dns: no network, or no such host
			return nil, err
		}
		return nil, &transientError{err}
	}
	if header != nil && response.StatusCode >= 400 && response.StatusCode < 500 && !slices.Contains([]int{
		http.StatusRequestedRangeNotSatisfiable, http.StatusTooManyRequests,
	}, response.StatusCode) {
		response.Body.Close()
		return get(ctx, client, u, nil)
	}
	isRange := response.StatusCode == http.StatusPartialContent || response.StatusCode == http.StatusRequestedRangeNotSatisfiable
	if response.StatusCode != http.StatusOK && !(isRange && header != nil) {
		err := fmt.Errorf("downloading %q: got status %s", describeSource(u, response), response.Status)
		if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
			err = &transientError{err}
		}
		return nil, errors.Join(err, response.Body.Close())
	}
	return response, nil
}

// requestError replaces the URL in an error of package http, which may have
// secrets in its query after a redirect.
func requestError(u *url.URL, err error) error {
	var request *url.Error
	if !errors.As(err, &request) {
		return err
	}
	var redirect *httplimit.RedirectError
	last, parseErr := url.Parse(request.URL)
	if errors.As(err, &redirect) || parseErr != nil || httplimit.Redact(last) == httplimit.Redact(u) {
		return request.Err
	}
	return fmt.Errorf("redirected to %q: %w", httplimit.Redact(last), request.Err)
}

// describeSource returns the URL of a request, and that of its response if another
// one was redirected to.
func describeSource(u *url.URL, response *http.Response) string {
	last := httplimit.Redact(response.Request.URL)
	if last == httplimit.Redact(u) {
		return u.Redacted()
	}
	return u.Redacted() + ", redirected to " + last
}

// progressReader reports the progress of reading r, and keeps its first bytes.
type progressReader struct {
	r    io.Reader
	task *progress.Task
	head []byte
	n    int64
	err  error // other than io.EOF
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.head = append(p.head, b[:min(n, store.HeadSize-len(p.head))]...)
	p.n += int64(n)
	p.task.Add(int64(n))
	if err != io.EOF {
		p.err = err
	}
	return n, err
}
