// Package cas reads blobs from the content-addressable storage (CAS) of a remote
// cache for Bazel: with HTTP, or with the ByteStream service of gRPC that the Remote
// Execution API specifies. It implements that one call: the library for gRPC has more
// packages than the whole program that pushes images.
package cas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
	"github.com/hyperkube/hyperkube/tools/internal/store"
	"github.com/hyperkube/hyperkube/versions"
)

// responseTimeout bounds the wait for response headers.
const responseTimeout = 30 * time.Second

// Client reads blobs from one CAS. It sends no credentials.
type Client struct {
	url    *url.URL
	client http.Client
}

// New returns a client for an address like those of Bazel's --remote_cache and
// --remote_executor: grpc://HOST:PORT, grpcs://, http:// or https://. The path is
// the instance name or, with HTTP, precedes /cas/SHA256.
func New(address string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("want a URL") // the error of package url repeats it, and it may have a password
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("want SCHEME://HOST:PORT without user and query, got %q", httplimit.Redact(u))
	}
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: responseTimeout, Protocols: new(http.Protocols)}
	switch u.Scheme {
	case "http", "https":
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(true)
	case "grpc":
		t.Protocols.SetUnencryptedHTTP2(true)
	case "grpcs":
		t.Protocols.SetHTTP2(true)
	default:
		return nil, fmt.Errorf("%q: want one of the schemes grpc, grpcs, http and https", httplimit.Redact(u))
	}
	return &Client{u, http.Client{Transport: httplimit.NewTransport(t, httplimit.Default), CheckRedirect: httplimit.CheckRedirect}}, nil
}

// Fetch writes a blob to a new file. It leaves no file if the bytes do not match the
// digest.
func (c *Client) Fetch(ctx context.Context, digest versions.Digest, size int64, file string) (err error) {
	from := fmt.Sprintf("%s of %s", digest, c.url)
	body, err := c.open(ctx, digest, size)
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errors.Join(err, body.Close())
	}
	_, err = io.Copy(f, store.NewVerifier(body, from, digest, size))
	if err = errors.Join(err, f.Close(), body.Close()); err != nil {
		return errors.Join(fmt.Errorf("reading %s: %w", from, err), os.Remove(file))
	}
	return nil
}

func (c *Client) open(ctx context.Context, digest versions.Digest, size int64) (io.ReadCloser, error) {
	if scheme, ok := strings.CutPrefix(c.url.Scheme, "grpc"); ok {
		return c.openStream(ctx, "http"+scheme, digest, size)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url.JoinPath("cas", digest.String()).String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := c.do(request)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// do sends a request. Statuses other than 200 are errors.
func (c *Client) do(request *http.Request) (*http.Response, error) {
	response, err := c.client.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.Join(errors.New(response.Status), response.Body.Close())
	}
	return response, err
}

// openStream calls google.bytestream.ByteStream/Read.
func (c *Client) openStream(ctx context.Context, scheme string, digest versions.Digest, size int64) (io.ReadCloser, error) {
	name := strings.TrimPrefix(fmt.Sprintf("%s/blobs/%s/%d", strings.Trim(c.url.Path, "/"), digest, size), "/")
	u := url.URL{Scheme: scheme, Host: c.url.Host, Path: "/google.bytestream.ByteStream/Read"}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(frame(readRequest(name))))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	response, err := c.do(request)
	if err != nil {
		return nil, err
	}
	return &stream{response: response}, nil
}
