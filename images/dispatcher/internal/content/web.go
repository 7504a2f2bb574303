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

// maxRedirects is more than any mirror needs.
const maxRedirects = 10

func (g Getter) download(ctx context.Context, w io.Writer, from string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: g.Transport, CheckRedirect: redirect}
	response, err := client.Do(request)
	if err != nil {
		// Without the URL, which may hold a token in its query.
		var asked *url.Error
		if errors.As(err, &asked) {
			err = asked.Err
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server says %s", response.Status)
	}
	if response.ContentLength > g.MaxSize {
		return fmt.Errorf("the server announces %d bytes, more than the %d allowed", response.ContentLength, g.MaxSize)
	}
	n, err := io.Copy(w, io.LimitReader(response.Body, g.MaxSize+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && response.ContentLength < 0:
		return fmt.Errorf("the connection ended after %d bytes, before the server was done", n)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the connection ended after %d of the %d bytes that the server announced", n, response.ContentLength)
	case err != nil:
		return err
	case n > g.MaxSize:
		return fmt.Errorf("more than the %d bytes allowed came", g.MaxSize)
	}
	return nil
}

// redirect lets a server send to another one, but not off https.
func redirect(to *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("the servers send from one to another, more than %d times", maxRedirects)
	}
	if !source.Allowed(to.URL) {
		return fmt.Errorf("the server sends to %s on host %q; want https", to.URL.Scheme, to.URL.Host)
	}
	return nil
}
