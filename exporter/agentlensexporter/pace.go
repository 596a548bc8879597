package agentlensexporter

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace spaces requests so that no minute sees more than a number of them, and
// keeps all back while the backend has asked to.
type pace struct {
	limiter *rate.Limiter // nil = no limit

	mu    sync.Mutex
	until time.Time
}

// newPace returns a pace of at most perMinute requests in any minute; 0 is no
// limit. A tenth of them may come at once.
func newPace(perMinute int) *pace {
	if perMinute == 0 {
		return &pace{}
	}
	// A window of a minute sees the burst and what a minute refills.
	burst := max(1, perMinute/10)
	refill := max(1, perMinute-burst)
	return &pace{limiter: rate.NewLimiter(rate.Limit(float64(refill)/60), burst)}
}

// wait returns when the next request may go, or the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	for {
		pause := p.paused()
		if pause <= 0 {
			break
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	if p.limiter == nil {
		return nil
	}
	return p.limiter.Wait(ctx)
}

// pause holds requests back for d from now on.
func (p *pace) pause(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.until) {
		p.until = until
	}
}

func (p *pace) paused() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.until)
}

// sleep waits for d, or returns the error of ctx when that is done first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
