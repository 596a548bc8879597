package backend

import (
	"math"
	"net/http"
	"time"

	"github.com/agentlens/agentlens-otel/backend/store"
)

// heatmap is the answer to GET /analytics/heatmap.
type heatmap struct {
	Days   int        `json:"period_days"`
	Metric string     `json:"metric"`
	Max    int64      `json:"max_value"`
	Peak   heatCell   `json:"peak"`
	Matrix store.Heat `json:"matrix"`
	// Cells are those that are not 0.
	Cells      []heatCell `json:"cells"`
	DayTotals  []heatDay  `json:"day_totals"`
	HourTotals []heatHour `json:"hour_totals"`
}

type (
	heatCell struct {
		Day       int     `json:"day"` // 0 = Sunday
		DayName   string  `json:"day_name"`
		Hour      int     `json:"hour"`
		Value     int64   `json:"value"`
		Intensity float64 `json:"intensity,omitempty"` // of the largest, 0 to 1
	}
	heatDay struct {
		Day     int    `json:"day"`
		DayName string `json:"day_name"`
		Total   int64  `json:"total"`
	}
	heatHour struct {
		Hour  int   `json:"hour"`
		Total int64 `json:"total"`
	}
)

// getHeatmap sums events, tokens or sessions (metric) up by weekday and hour
// (UTC).
func (s *Server) getHeatmap(w http.ResponseWriter, r *http.Request) {
	n, err := days(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	metric := r.URL.Query().Get("metric")
	if metric == "" {
		metric = store.HeatEvents
	}
	heat, err := s.store.Heatmap(r.Context(), s.figures.Period(n, r.URL.Query().Get("agent")), metric)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, newHeatmap(heat, n, metric))
}

func newHeatmap(heat store.Heat, days int, metric string) heatmap {
	out := heatmap{Days: days, Metric: metric, Matrix: heat, Cells: []heatCell{}, HourTotals: make([]heatHour, 24)}
	out.Peak.DayName = time.Sunday.String()
	for day, hours := range heat {
		total := heatDay{Day: day, DayName: time.Weekday(day).String()}
		for hour, n := range hours {
			out.HourTotals[hour].Hour = hour
			out.HourTotals[hour].Total += n
			total.Total += n
			if n == 0 {
				continue
			}
			cell := heatCell{Day: day, DayName: total.DayName, Hour: hour, Value: n}
			out.Cells = append(out.Cells, cell)
			if n > out.Max {
				out.Max, out.Peak = n, cell
			}
		}
		out.DayTotals = append(out.DayTotals, total)
	}
	for i := range out.Cells {
		out.Cells[i].Intensity = math.Round(float64(out.Cells[i].Value)/float64(out.Max)*100) / 100
	}
	return out
}
