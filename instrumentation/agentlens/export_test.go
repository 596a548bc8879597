package agentlens

import "time"

// WithRetryInterval shortens the pause before the first retry.
func WithRetryInterval(d time.Duration) Option {
	return option(func(c *config) error {
		c.retryInterval = d
		return nil
	})
}

// ResetGlobal undoes Init.
func ResetGlobal() { global.Store(nil) }
