package forecast

import (
	"math"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// series is the daily history that methods are fitted to.
type series struct {
	// last is the day of the last element, next the first day to predict.
	last, next Date
	cost       []float64      // USD a day
	tokens     []int64        // input and output
	weekdays   []time.Weekday // of the days, then of those to predict
	// running is what the running day has used so far, when it is next.
	running usage
}

// Ready reports whether there is a day to forecast from: whether Daily answers
// anything but ErrNoRecords and *InsufficientDataError. It costs next to nothing,
// for who asks again and again while there is none.
func (f *Forecaster) Ready() bool {
	return len(f.days) > 0 && (f.now == nil || f.days[0].date < DateOf(f.now()))
}

// series returns the days to fit, in order. Unless observedOnly, days without a
// record are zeros.
func (f *Forecaster) series() (*series, error) {
	if len(f.days) == 0 {
		return nil, ErrNoRecords
	}
	s := &series{}
	days := f.days
	end := f.newest()
	if f.now != nil {
		today := DateOf(f.now())
		for len(days) > 0 && days[len(days)-1].date >= today {
			if d := &days[len(days)-1]; d.date == today {
				s.running = d.usage
			}
			days = days[:len(days)-1]
		}
		if len(days) == 0 {
			return nil, &InsufficientDataError{What: "a forecast", Have: 0, Need: 1}
		}
		end = today - 1
	}
	if f.observedOnly {
		s.cost = make([]float64, 0, len(days))
		s.tokens = make([]int64, 0, len(days))
		for i := range days {
			s.cost = append(s.cost, days[i].cost.Float64())
			s.tokens = append(s.tokens, days[i].tokens())
		}
		s.last, s.next = days[len(days)-1].date, end+1
		s.weekdays = make([]time.Weekday, len(days))
		for i := range days {
			s.weekdays[i] = days[i].date.Weekday()
		}
		return s, nil
	}
	first := max(days[0].date, end-Date(f.history)+1)
	n := int(end-first) + 1
	s.cost, s.tokens = make([]float64, n), make([]int64, n)
	for i := range days {
		if at := int(days[i].date - first); at >= 0 {
			s.cost[at], s.tokens[at] = days[i].cost.Float64(), days[i].tokens()
		}
	}
	s.last, s.next = end, end+1
	s.weekdays = make([]time.Weekday, n)
	for i := range s.weekdays {
		s.weekdays[i] = (first + Date(i)).Weekday()
	}
	return s, nil
}

// reach appends the weekdays of the days to predict.
func (s *series) reach(days int) {
	for h := len(s.weekdays) - len(s.cost); h < days; h++ {
		s.weekdays = append(s.weekdays, (s.next + Date(h)).Weekday())
	}
}

// costs returns the cost history for back-testing.
func (s *series) costs() daily { return daily{y: s.cost, weekdays: s.weekdays} }

// floats returns the tokens as float64s.
func (s *series) floats() []float64 {
	y := make([]float64, len(s.tokens))
	for i, t := range s.tokens {
		y[i] = float64(t)
	}
	return y
}

// truncTokens truncates toward zero, then clamps to what an int64 count can be.
func truncTokens(x float64) int64 {
	if !(x > 0) {
		return 0
	}
	if x >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(x)
}

// addTokens adds two counts, stopping at the largest there is.
func addTokens(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func checkDays(days int) error {
	if days < 1 || days > MaxDays {
		return &analysis.FieldError{Field: "days", Value: days, Want: "1 to 90"}
	}
	return nil
}
