package redact

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for text, want := range map[string]string{
		"https://user:password@host/path":                 "https://REDACTED@host/path",
		"https://token@host:8443/a, http://u:p@h":         "https://REDACTED@host:8443/a, http://REDACTED@h",
		`"https://user:p@ssword@host"`:                    `"https://REDACTED@host"`,
		"GOPROXY=https://u:p@a/go|https://b,direct":       "GOPROXY=https://REDACTED@a/go|https://b,direct",
		"https://host/golang.org/x/mod/@v/v0.1.0.zip":     "https://host/golang.org/x/mod/@v/v0.1.0.zip",
		"https://host?x=a@b registry.example/a@sha256:00": "https://host?x=a@b registry.example/a@sha256:00",
		"": "",
	} {
		if got := URLs(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// The errors of the libraries that get URLs show no password.
func TestErrors(t *testing.T) {
	//lint:ignore SA1007 the URL is malformed on purpose
	_, parse := url.Parse("https://user:secret@host/%zz")
	_, request := http.NewRequest(http.MethodGet, "https://user:secret@host/%zz", nil)
	_, get := http.Get("unknown://user:secret@host/")
	for _, err := range []error{parse, request, get} {
		if err == nil || strings.Contains(URLs(err.Error()), "secret") {
			t.Errorf("got %v", err)
		}
	}
}
