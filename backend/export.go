package backend

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/agentlens/agentlens-otel/analysis"
	"github.com/agentlens/agentlens-otel/backend/store"
)

// exportPage is how many events an export reads at once, so that a long
// session does not have to fit into memory.
const exportPage = 1_000

// getExport is GET /sessions/{id}/export?format=json|csv.
func (s *Server) getExport(w http.ResponseWriter, r *http.Request) {
	format := strings.ToLower(r.URL.Query().Get("format"))
	if format == "" {
		format = "json"
	}
	if format != "json" && format != "csv" {
		s.fail(w, r, &analysis.FieldError{Field: "format", Value: short(format), Want: "json or csv"})
		return
	}
	first, err := s.store.Detail(r.Context(), r.PathValue("id"), exportPage, 0)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	summary, err := s.store.Summary(r.Context(), first.ID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	name := fmt.Sprintf("agentlens-%s-%s.%s", first.AgentName, first.ID[:min(8, len(first.ID))], format)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	each := func(f func(*store.Event) error) error { return s.eachEvent(r, first, f) }
	if format == "csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		err = exportCSV(w, each)
	} else {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		err = exportJSON(w, first, summary, each)
	}
	if err != nil {
		// The head has gone out: all that is left is to break off.
		s.log.Warn("An export broke off", zap.String("session_id", first.ID), zap.Error(err))
		panic(http.ErrAbortHandler)
	}
}

// eachEvent calls f with all events of a session, the first page of which has
// been read.
func (s *Server) eachEvent(r *http.Request, first *store.Detail, f func(*store.Event) error) error {
	events := first.Events
	for offset := 0; ; {
		for i := range events {
			if err := f(&events[i]); err != nil {
				return err
			}
		}
		if len(events) < exportPage {
			return nil
		}
		offset += len(events)
		var err error
		if events, err = s.store.Events(r.Context(), first.ID, exportPage, offset); err != nil {
			return err
		}
	}
}

// exportSummary is what an export says of all events.
type exportSummary struct {
	Events     int64                 `json:"total_events"`
	Tokens     int64                 `json:"total_tokens"`
	Models     []string              `json:"models_used"`
	EventTypes []string              `json:"event_types"`
	DurationMS float64               `json:"total_duration_ms"`
	CostUSD    analysis.Opt[float64] `json:"total_cost_usd"`
	Errors     int64                 `json:"errors"`
}

// exportJSON writes {"exported_at", "session", "events", "annotations",
// "summary"}, an event at a time.
func exportJSON(w io.Writer, d *store.Detail, sum *analysis.Summary, each func(func(*store.Event) error) error) error {
	part := func(lead string, v any) error {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%s", lead, text)
		return err
	}
	if err := part(`{"exported_at":`, time.Now().UTC()); err != nil {
		return err
	}
	if err := part(`,"session":`, d.Session); err != nil {
		return err
	}
	lead := `,"events":[` + "\n"
	none := true
	if err := each(func(e *store.Event) error {
		err := part(lead, e)
		lead, none = ",\n", false
		return err
	}); err != nil {
		return err
	}
	if none {
		if _, err := io.WriteString(w, lead); err != nil {
			return err
		}
	}
	if err := part("\n"+`],"annotations":`, d.Annotations); err != nil {
		return err
	}
	if err := part(`,"summary":`, exportSummary{
		Events: d.EventCount, Tokens: d.TokensIn.Or(0) + d.TokensOut.Or(0), Models: sum.Models.Names(), EventTypes: sum.EventTypes.Names(),
		DurationMS: sum.Durations.Sum.Float64(), CostUSD: d.CostUSD, Errors: d.ErrorCount,
	}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "}\n")
	return err
}

// csvHeader names the original's columns, and then ours.
var csvHeader = []string{
	"event_id", "event_type", "timestamp", "model", "tokens_in", "tokens_out", "duration_ms", "input_data", "output_data",
	"tool_name", "tool_input", "tool_output", "reasoning", "cost_usd", "error_type", "error_message", "parent_event_id",
}

func exportCSV(w io.Writer, each func(func(*store.Event) error) error) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	err := each(func(e *store.Event) error {
		var tool analysis.ToolCall
		var decision analysis.DecisionTrace
		if len(e.ToolCall) > 0 {
			if err := json.Unmarshal(e.ToolCall, &tool); err != nil {
				return fmt.Errorf("tool_call of event %s: %w", e.ID, err)
			}
		}
		if len(e.DecisionTrace) > 0 {
			if err := json.Unmarshal(e.DecisionTrace, &decision); err != nil {
				return fmt.Errorf("decision_trace of event %s: %w", e.ID, err)
			}
		}
		failure := analysis.Failure{}
		if e.Error != nil {
			failure = *e.Error
		}
		row := []string{
			e.ID, e.Type, e.Timestamp.Format(time.RFC3339Nano), e.Model.Or(""), whole(e.TokensIn), whole(e.TokensOut), decimal(e.DurationMS),
			string(e.InputData), string(e.OutputData), tool.Name, string(tool.Input), string(tool.Output), decision.Reasoning,
			decimal(e.CostUSD), failure.Type, failure.Message, e.ParentID,
		}
		for i := range row {
			row[i] = harmless(row[i])
		}
		return out.Write(row)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

// harmless keeps a spreadsheet from taking text for a formula.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}

func whole(n analysis.Opt[int64]) string {
	if !n.OK {
		return ""
	}
	return strconv.FormatInt(n.V, 10)
}

func decimal(v analysis.Opt[float64]) string {
	if !v.OK {
		return ""
	}
	return strconv.FormatFloat(v.V, 'g', -1, 64)
}
