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

	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

const (
	// maxDownload bounds a file whose size the lock does not know, in bytes.
	// The largest binary ever published has an eighth of it.
	maxDownload = 1 << 30
	attempts    = 4
	firstPause  = 2 * time.Second
	// stall is how long a connection may be silent.
	stall = 60 * time.Second
)

// client gives up on a server that cannot be reached, long before a person
// would, and otherwise leaves the time to the context.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
	TLSHandshakeTimeout:   10 * time.Second,
	ResponseHeaderTimeout: 30 * time.Second,
	// What is asked for is the file as it lies there.
	DisableCompression: true,
}}

// download gets the file from upstream, trying again where that may help.
func (s *Fetcher) download(ctx context.Context, pin versions.Pin) error {
	from, err := s.url(pin)
	if err != nil {
		return err
	}
	return s.again(ctx, pin.FileKey.String(), from.Redacted(), func() error { return s.downloadOnce(ctx, pin, from) })
}

// again repeats a download that fails with a [passingError].
func (s *Fetcher) again(ctx context.Context, what, from string, once func() error) error {
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, 2*pause {
		err := once()
		var passing *passingError
		if ctx.Err() != nil {
			return fmt.Errorf("downloading %q: %w", from, context.Cause(ctx))
		}
		if err == nil || attempt == attempts || !errors.As(err, &passing) {
			return err
		}
		s.Progress.Logf("%s: %v; trying again in %v", what, err, pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// url is where the file is asked for: upstream, or the mirror in its place.
func (s *Fetcher) url(pin versions.Pin) (*url.URL, error) {
	if pin.URL == "" {
		return nil, fmt.Errorf("%s has no URL in %s", pin.FileKey, versions.LockFile)
	}
	u, err := url.Parse(pin.URL)
	if err == nil && s.Upstream != "" {
		u, err = url.Parse(strings.TrimSuffix(s.Upstream, "/") + u.EscapedPath())
	}
	if err != nil {
		return nil, fmt.Errorf("reading the URL of %s: %w", pin.FileKey, err)
	}
	return u, nil
}

// passingError is one that another attempt may not meet.
type passingError struct{ error }

func (e *passingError) Unwrap() error { return e.error }

// localError is one that a file from anywhere else would meet as well.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }

func (s *Fetcher) downloadOnce(ctx context.Context, pin versions.Pin, at *url.URL) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	from := at.Redacted()
	response, err := ask(ctx, at)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	task := s.Progress.Start("downloading "+pin.FileKey.String(), "bytes", max(pin.Size, response.ContentLength))
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer watch.Stop()
	body := &observed{r: io.LimitReader(response.Body, maxDownload), saw: func(n int) {
		watch.Reset(stall)
		task.Add(int64(n))
	}}
	if err := s.Store.Put(ctx, pin.SHA256, pin.Size, from, body); err != nil {
		task.Fail()
		var mismatch *store.MismatchError
		switch {
		case errors.As(err, &mismatch):
			return s.explainBytes(pin, mismatch, body.head)
		case context.Cause(ctx) != nil:
			err = context.Cause(ctx)
		case errors.Is(body.err, io.ErrUnexpectedEOF):
			err = fmt.Errorf("truncated: the connection ended after %d of the %d bytes that the server announced", body.n, response.ContentLength)
		case body.err == nil:
			return &localError{err} // the store, not the network
		}
		return &passingError{fmt.Errorf("downloading %q: %w", from, err)}
	}
	task.Done()
	return nil
}

// ask asks for a file and wants it for an answer.
func ask(ctx context.Context, at *url.URL) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("downloading %q: %w", at.Redacted(), err)
	}
	response, err := client.Do(request)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return nil, fmt.Errorf("downloading: %w", err) // no network, or no such host
		}
		return nil, &passingError{fmt.Errorf("downloading: %w", err)}
	}
	if response.StatusCode != http.StatusOK {
		err := fmt.Errorf("downloading %q: the server says %s", at.Redacted(), response.Status)
		if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
			err = &passingError{err}
		}
		return nil, errors.Join(err, response.Body.Close())
	}
	return response, nil
}

// observed remembers the beginning of what it reads and tells how much it was.
type observed struct {
	r    io.Reader
	saw  func(n int)
	head []byte
	n    int64
	err  error // but for io.EOF
}

func (o *observed) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	o.head = append(o.head, p[:min(n, headSize-len(o.head))]...)
	o.n += int64(n)
	o.saw(n)
	if err != io.EOF {
		o.err = err
	}
	return n, err
}
