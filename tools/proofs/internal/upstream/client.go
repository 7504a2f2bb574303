// Package upstream fetches the signatures that upstream publishes, and their entries in
// the transparency log.
package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
)

// DefaultRekor is the URL of Sigstore's transparency log with the entries of upstream.
const DefaultRekor = "https://rekor.sigstore.dev"

const (
	maxAttempts = 5
	// requestTimeout bounds one request with its response.
	requestTimeout = 2 * time.Minute
)

// ErrNotPublished is the error for a file that upstream does not have.
var ErrNotPublished = errors.New("not published")

// ErrInvalid is the error for a signature or a certificate that cannot be parsed.
var ErrInvalid = errors.New("invalid signature or certificate")

// RequestError is the error of a request, after all attempts.
type RequestError struct {
	url string
	err error
}

func (e *RequestError) Error() string { return fmt.Sprintf("requesting %q: %v", e.url, e.err) }

func (e *RequestError) Unwrap() error { return e.err }

// Client fetches signatures.
type Client struct {
	Mirror string // URL in place of https://dl.k8s.io; "" for upstream
	Rekor  string // URL of the transparency log
	// Backoff is the time before the first retry; 0 for a second.
	Backoff time.Duration
}

var httpClient = &http.Client{
	CheckRedirect: httplimit.CheckRedirect,
	Transport: httplimit.NewTransport(&http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		MaxIdleConnsPerHost:   16,
		DisableCompression:    true,
	}, httplimit.Default),
}

// get returns a file of upstream, or of its mirror, with at most limit bytes.
func (c *Client) get(ctx context.Context, address string, limit int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err == nil && c.Mirror != "" {
		u, err = url.Parse(strings.TrimSuffix(c.Mirror, "/") + u.EscapedPath())
	}
	if err != nil {
		return nil, err
	}
	return c.request(ctx, http.MethodGet, u, nil, limit)
}

// post sends JSON to the transparency log.
func (c *Client) post(ctx context.Context, path string, body []byte, limit int64) ([]byte, error) {
	u, err := url.Parse(strings.TrimSuffix(c.Rekor, "/") + path)
	if err != nil {
		return nil, err
	}
	return c.request(ctx, http.MethodPost, u, body, limit)
}

// request repeats a request as long as an error may be temporary.
func (c *Client) request(ctx context.Context, method string, u *url.URL, body []byte, limit int64) ([]byte, error) {
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval = time.Second
	if c.Backoff != 0 {
		delay.InitialInterval = c.Backoff
	}
	data, err := backoff.Retry(ctx, func() ([]byte, error) { return once(ctx, method, u, body, limit) },
		backoff.WithBackOff(delay), backoff.WithMaxTries(maxAttempts))
	if err != nil {
		return nil, &RequestError{httplimit.Redact(u), err}
	}
	return data, nil
}

func once(ctx context.Context, method string, u *url.URL, body []byte, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, backoff.Permanent(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := httpClient.Do(request)
	if err != nil {
		var redirect *httplimit.RedirectError
		var wrapped *url.Error
		var dns *net.DNSError
		switch {
		case errors.As(err, &dns) && dns.IsNotFound: // no network, or no such host
			return nil, backoff.Permanent(dns)
		case errors.As(err, &redirect):
			return nil, backoff.Permanent(redirect)
		case errors.As(err, &wrapped): // repeats the URL
			err = wrapped.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusNotFound:
		return nil, backoff.Permanent(ErrNotPublished)
	case code == http.StatusTooManyRequests || code >= 500:
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 120 {
			return nil, backoff.RetryAfter(seconds)
		}
		return nil, fmt.Errorf("got status %s", response.Status)
	case code != http.StatusOK:
		return nil, backoff.Permanent(fmt.Errorf("got status %s", response.Status))
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, backoff.Permanent(fmt.Errorf("want at most %d bytes, got more", limit))
	}
	return data, err
}
