// Package redact removes credentials from messages.
package redact

import "regexp"

// userInfo matches the user and password of a URL in a text, also of a URL that
// package net/url cannot parse. An @ in the path, as in that of a Go module, does
// not end them.
var userInfo = regexp.MustCompile(`(://)[^/?#\s"'<>]*@`)

// URLs replaces user and password of all URLs in s. Either may be a token, and
// errors of package net/url and of other programs have both.
func URLs(s string) string { return userInfo.ReplaceAllString(s, "${1}REDACTED@") }
