package supply

import (
	"context"
	"errors"

	"github.com/hyperkube/hyperkube/versions"
)

func (s *Supplier) rebuild(ctx context.Context, pin versions.Pin) error {
	return errors.New("TODO wire rebuild")
}
