package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/hyperkube/hyperkube/images/dispatcher/internal/source"
)

// maxRedirects is more than mirrors need.
const maxRedirects = 10

func (f Fetcher) download(ctx context.Context, w io.Writer, from string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: f.Transport, CheckRedirect: checkRedirect}
	response, err := client.Do(request)
	if err != nil {
		// The error has the URL, whose query may have a token.
		var urlError *url.Error
		if errors.As(err, &urlError) {
			err = urlError.Err
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("unexpected status %s", response.Status)
	}
	if response.ContentLength > f.MaxSize {
		return fmt.Errorf("content length is %d bytes, want at most %d", response.ContentLength, f.MaxSize)
	}
	n, err := io.Copy(w, io.LimitReader(response.Body, f.MaxSize+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && response.ContentLength < 0:
		return fmt.Errorf("unexpected EOF after %d bytes", n)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("unexpected EOF after %d of %d bytes", n, response.ContentLength)
	case err != nil:
		return err
	case n > f.MaxSize:
		return fmt.Errorf("response has more than %d bytes", f.MaxSize)
	}
	return nil
}

// checkRedirect allows redirects to other servers, but not from https to http.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	downgrade := next.URL.Scheme == "http" && via[len(via)-1].URL.Scheme == "https"
	if downgrade || !source.IsSecure(next.URL) {
		return fmt.Errorf("refusing redirect to %s on host %q: want https", next.URL.Scheme, next.URL.Host)
	}
	return nil
}
