package registry

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// retry is a transport that repeats a request without a body while the registry is
// overloaded. It waits as long as the header Retry-After says, or else twice as long
// each time.
type retry struct {
	inner    http.RoundTripper
	attempts int
	first    time.Duration // delay after the first attempt
	max      time.Duration // a longer Retry-After is an error
}

func newRetry(inner http.RoundTripper) http.RoundTripper {
	return &retry{inner, 8, 250 * time.Millisecond, time.Minute}
}

func (t *retry) RoundTrip(r *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		response, err := t.inner.RoundTrip(r)
		if r.Body != nil && r.Body != http.NoBody || attempt == t.attempts || !isOverloaded(response, err) {
			return response, err
		}
		delay := min(t.first<<(attempt-1), t.max)
		delay = delay/2 + rand.N(delay) // concurrent requests must not come back all at once
		if response != nil {
			if after, ok := retryAfter(response.Header.Get("Retry-After")); ok {
				if after > t.max {
					return response, nil
				}
				delay = after + rand.N(t.first)
			}
			// Only a connection whose response was read is used again.
			_, readErr := io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
			if err := errors.Join(readErr, response.Body.Close()); err != nil {
				return nil, err
			}
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
			return nil, r.Context().Err()
		}
	}
}

func isOverloaded(response *http.Response, err error) bool {
	if err != nil {
		return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter parses a number of seconds or a date.
func retryAfter(header string) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}
