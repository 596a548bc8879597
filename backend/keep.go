package backend

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/backend/store"
)

// sweepEvery is how often old sessions are looked for.
const sweepEvery = time.Minute

// sweepUntil deletes what is not to be kept, at once and then from time to
// time, until ctx is done.
func (s *Server) sweepUntil(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		s.sweep(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *Server) sweep(ctx context.Context) {
	gone, err := s.store.Sweep(ctx, s.cfg.Retention)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.log.Error("Cannot delete old sessions", zap.Error(err))
	case gone != (store.Removed{}):
		s.log.Info("Deleted old sessions", zap.Int64("sessions", gone.Sessions), zap.Int64("events", gone.Events), zap.Int64("bytes", gone.Bytes))
	}
}
