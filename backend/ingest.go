package backend

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/internal/wire"
)

// postEvents stores a batch. When it answers 200, everything processed is
// stored, and survives the death of this process. Entries that cannot be
// stored are skipped and counted; so are fields that had to be cut or dropped.
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r, wire.MaxBatchBytes)
	if err != nil {
		refuseBody(w, err, wire.MaxBatchBytes)
		return
	}
	batch, err := decodeBatch(body)
	if err != nil {
		s.refuseBatch(w, r, err)
		return
	}
	s.prices.complete(batch.events)
	if _, err := s.store.Ingest(r.Context(), append(slices.Clip(batch.events), batch.copies...)); err != nil {
		s.fail(w, r, err)
		return
	}
	s.hub.publishBatch(batch.events)
	if batch.skipped > 0 || batch.truncated > 0 {
		s.log.Warn("Entries of a batch were skipped, or fields of them cut",
			zap.Int("skipped", batch.skipped), zap.Int("truncated_fields", batch.truncated), zap.Strings("reasons", batch.reasons))
	}
	s.answer(w, http.StatusOK, wire.Answer{
		Status: "ok", Processed: len(batch.events), Skipped: batch.skipped, TruncatedFields: batch.truncated, Reasons: batch.reasons,
	})
}

func (s *Server) refuseBatch(w http.ResponseWriter, r *http.Request, err error) {
	var large *batchTooLargeError
	var syntax *batchSyntaxError
	switch {
	case errors.As(err, &large):
		refuse(w, http.StatusRequestEntityTooLarge, large.Error())
	case errors.As(err, &syntax):
		refuse(w, http.StatusBadRequest, syntax.Error())
	default:
		s.fail(w, r, err)
	}
}

var errEncoding = errors.New("unsupported content encoding")

// readBody returns the request's body, inflated when it is gzipped. It returns
// an *http.MaxBytesError when either form is longer than most bytes, so that a
// small body cannot become a large one here.
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(w, r.Body, most)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		gz, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		in = gz
	default:
		return nil, fmt.Errorf("%w %q, want gzip or none", errEncoding, encoding)
	}
	var body bytes.Buffer
	body.Grow(int(min(max(0, r.ContentLength), maxClaimed)) + bytes.MinRead) // the last read finds the end
	if _, err := body.ReadFrom(io.LimitReader(in, most+1)); err != nil {
		return nil, err
	}
	if int64(body.Len()) > most {
		return nil, &http.MaxBytesError{Limit: most}
	}
	return body.Bytes(), nil
}

// maxClaimed bounds the memory that a request gets for what it says its length
// is, before it has sent anything: more than the exporter's batches take.
const maxClaimed = 4 << 20

// refuseBody answers for an error of readBody.
func refuseBody(w http.ResponseWriter, err error, most int64) {
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is too large: at most %d bytes, inflated", most))
	case errors.Is(err, errEncoding):
		refuse(w, http.StatusUnsupportedMediaType, err.Error())
	default:
		refuse(w, http.StatusBadRequest, "the body cannot be read: "+err.Error())
	}
}
