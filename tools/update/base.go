package main

import "context"

// bases pins what images are built upon.
func (u *updater) bases(ctx context.Context) error {
	for _, key := range u.manifest.RequiredBases() {
		if _, ok := u.lock.Base(key); ok {
			continue
		}
		pin, err := u.fetcher.PinBase(ctx, key)
		if err != nil {
			return err
		}
		u.lock.SetBase(pin)
		u.added++
	}
	return nil
}
