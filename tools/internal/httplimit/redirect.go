package httplimit

import (
	"fmt"
	"net/http"
	"net/url"
)

// maxRedirects is more than servers of files need.
const maxRedirects = 10

// RedirectError reports a redirect that [CheckRedirect] refuses. A retry would fail,
// too.
type RedirectError struct {
	URL    string // without user and query
	Reason string
}

func (e *RedirectError) Error() string { return fmt.Sprintf("redirected to %q: %s", e.URL, e.Reason) }

// CheckRedirect is a function for [http.Client]. It refuses loops, and redirects to
// other schemes than http and https or from https to http.
func CheckRedirect(next *http.Request, via []*http.Request) error {
	refuse := func(format string, args ...any) error {
		return &RedirectError{Redact(next.URL), fmt.Sprintf(format, args...)}
	}
	switch scheme := next.URL.Scheme; {
	case scheme != "https" && scheme != "http":
		return refuse("want https or http")
	case scheme == "http" && via[len(via)-1].URL.Scheme == "https":
		return refuse("refusing to continue without encryption")
	case len(via) > maxRedirects:
		return refuse("more than %d redirects", maxRedirects)
	}
	for _, earlier := range via {
		if earlier.URL.String() == next.URL.String() {
			return refuse("redirect loop")
		}
	}
	return nil
}

// Redact returns the URL without its user and query, which may have secrets.
func Redact(u *url.URL) string {
	short := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, Opaque: u.Opaque}
	if u.User != nil {
		short.User = url.User("xxxxx")
	}
	return short.String()
}
