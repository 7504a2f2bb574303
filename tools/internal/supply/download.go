package supply

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
func (s *Supplier) download(ctx context.Context, pin versions.Pin) error {
	from, err := s.url(pin)
	if err != nil {
		return err
	}
	return s.again(ctx, pin.FileKey.String(), from, func() error { return s.downloadOnce(ctx, pin, from) })
}

// again repeats a download that fails with a [passingError].
func (s *Supplier) again(ctx context.Context, what, from string, once func() error) error {
	for attempt, pause := 1, firstPause; ; attempt, pause = attempt+1, 2*pause {
		err := once()
		var passing *passingError
		if ctx.Err() != nil {
			return fmt.Errorf("downloading %q: %w", from, context.Cause(ctx))
		}
		if err == nil || attempt == attempts || !errors.As(err, &passing) {
			return err
		}
		s.Progress.Say("%s: %v; trying again in %v", what, err, pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// url is where the file is asked for: upstream, or the mirror in its place.
func (s *Supplier) url(pin versions.Pin) (string, error) {
	if pin.URL == "" {
		return "", fmt.Errorf("%s has no URL in %s", pin.FileKey, versions.LockFile)
	}
	if s.Upstream == "" {
		return pin.URL, nil
	}
	u, err := url.Parse(pin.URL)
	if err != nil {
		return "", fmt.Errorf("reading the URL of %s: %w", pin.FileKey, err)
	}
	return strings.TrimSuffix(s.Upstream, "/") + u.EscapedPath(), nil
}

// passingError is one that another attempt may not meet.
type passingError struct{ error }

func (e *passingError) Unwrap() error { return e.error }

func (s *Supplier) downloadOnce(ctx context.Context, pin versions.Pin, from string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return fmt.Errorf("downloading %q: %w", from, err)
	}
	response, err := client.Do(request)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return fmt.Errorf("downloading: %w", err) // no network, or no such host
		}
		return &passingError{fmt.Errorf("downloading: %w", err)}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		err := fmt.Errorf("downloading %q: the server says %s", from, response.Status)
		if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
			return &passingError{err}
		}
		return err
	}
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
		case errors.Is(err, io.ErrUnexpectedEOF):
			err = fmt.Errorf("truncated: the connection ended after %d of the %d bytes that the server announced", body.n, response.ContentLength)
		case context.Cause(ctx) != nil:
			err = context.Cause(ctx)
		}
		return &passingError{fmt.Errorf("downloading %q: %w", from, err)}
	}
	task.Done()
	return nil
}

// observed remembers the beginning of what it reads and tells how much it was.
type observed struct {
	r    io.Reader
	saw  func(n int)
	head []byte
	n    int64
}

func (o *observed) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	o.head = append(o.head, p[:min(n, headSize-len(o.head))]...)
	o.n += int64(n)
	o.saw(n)
	return n, err
}
