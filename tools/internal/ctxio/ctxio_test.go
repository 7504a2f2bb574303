package ctxio

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReader(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := NewReader(ctx, strings.NewReader("abcd"))
	got := make([]byte, 2)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "ab" {
		t.Errorf("got %q, %v", got, err)
	}
	cancel()
	if n, err := r.Read(got); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %d bytes, %v", n, err)
	}
}
