package forecast

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/agentlens/agentlens-otel/analysis"
)

// DefaultHistory is how many days are kept unless WithHistory says otherwise:
// a year and a bit.
const DefaultHistory = 400

// maxHistory bounds WithHistory and the zero days a series may be filled with.
const maxHistory = 4000

// ErrNoRecords is returned when there is nothing to forecast from.
var ErrNoRecords = errors.New("forecast: no usage records; add some first")

// Forecaster aggregates usage by UTC day. It is not safe for concurrent use:
// the caller holds a lock, also around Daily, Summary and CheckBudget.
type Forecaster struct {
	history      int
	observedOnly bool
	now          func() time.Time

	days  []day // sorted by date; each holds at least one record
	total usage // the sum over days
	hit   int   // index in days of the last record's day, when in range
}

// day is the usage of one UTC day.
type day struct {
	date Date
	usage
	models []modelUse // sorted by name
	hit    int        // index in models of the last record's model
	// other is the usage of models beyond maxModels.
	other usage
}

type modelUse struct {
	name string
	usage
}

// usage is a sum over records. Its bounds are checked before anything is added.
type usage struct {
	records, tokensIn, tokensOut int64
	cost                         analysis.Sum
}

// Option changes how a Forecaster works.
type Option func(*Forecaster) error

// WithHistory keeps the last n days (1 to 4000), counted back from the newest
// day with a record. Older days are forgotten, older records refused.
func WithHistory(n int) Option {
	return func(f *Forecaster) error {
		if n < 1 || n > maxHistory {
			return &analysis.FieldError{Field: "history", Value: n, Want: "1 to 4000 days"}
		}
		f.history = n
		return nil
	}
}

// ObservedDaysOnly ignores days without a record, as the original does.
// Otherwise a day without a record between the first and the last counts as a
// day that cost nothing.
func ObservedDaysOnly() Option {
	return func(f *Forecaster) error {
		f.observedOnly = true
		return nil
	}
}

// WithNow tells the Forecaster the time, which a live caller wants: the running
// day is then left out of what is fitted, predictions start with the running
// day and are at least what it has cost so far, quiet days up to yesterday
// count as zero, and records from after tomorrow are refused, since a clock
// that is wrong by a year would push out the whole history.
func WithNow(now func() time.Time) Option {
	return func(f *Forecaster) error {
		f.now = now
		return nil
	}
}

// New returns an empty Forecaster.
func New(opts ...Option) (*Forecaster, error) {
	f := &Forecaster{history: DefaultHistory}
	for _, o := range opts {
		if err := o(f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Add adds a record. It returns a *analysis.FieldError that names the field,
// and changes nothing, when the record is not valid, is older than the history
// kept, lies after tomorrow (WithNow), or makes a sum exceed 2^62.
func (f *Forecaster) Add(r UsageRecord) error {
	u, err := r.Use()
	if err != nil {
		return err
	}
	return f.AddUse(&u)
}

// AddUse adds a record as Add does.
func (f *Forecaster) AddUse(u *Use) error {
	if err := f.total.checkRoom(u); err != nil {
		return err
	}
	if f.hit >= len(f.days) || f.days[f.hit].date != u.date {
		if err := f.seek(u.date); err != nil {
			return err
		}
	}
	f.total.merge(&u.usage)
	d := &f.days[f.hit]
	d.usage.merge(&u.usage)
	d.model(u.model).merge(&u.usage)
	return nil
}

// Merge adds all that other holds, as if its records had been added to f. It
// fails, changing nothing, when a sum would exceed 2^62. Days older than f's
// history are forgotten. other stays as it is.
func (f *Forecaster) Merge(other *Forecaster) error {
	if err := f.total.checkRoomFor(&other.total); err != nil {
		return err
	}
	for i := range other.days {
		o := &other.days[i]
		if len(f.days) > 0 && o.date <= f.newest()-Date(f.history) {
			continue
		}
		f.place(o.date)
		d := &f.days[f.hit]
		d.usage.merge(&o.usage)
		d.other.merge(&o.other)
		for j := range o.models {
			d.model(o.models[j].name).merge(&o.models[j].usage)
		}
	}
	f.recount()
	return nil
}

// Records returns how many records the kept days hold.
func (f *Forecaster) Records() int64 { return f.total.records }

func (f *Forecaster) newest() Date { return f.days[len(f.days)-1].date }

// seek makes hit the index of date's day, creating the day, or refuses the date.
func (f *Forecaster) seek(date Date) error {
	if len(f.days) > 0 && date <= f.newest()-Date(f.history) {
		return &analysis.FieldError{
			Field: "timestamp", Value: date,
			Want: "on or after " + (f.newest() - Date(f.history) + 1).String() + ", the oldest day kept",
		}
	}
	// The clock is asked only when a record opens a new latest day.
	if f.now != nil && (len(f.days) == 0 || date > f.newest()) {
		if tomorrow := DateOf(f.now()) + 1; date > tomorrow {
			return &analysis.FieldError{Field: "timestamp", Value: date, Want: "no later than " + tomorrow.String()}
		}
	}
	if f.place(date) {
		f.recount()
	}
	return nil
}

// place makes hit the index of date's day, creating it when it is not there,
// and reports whether days fell out of the history for it.
func (f *Forecaster) place(date Date) (forgot bool) {
	i, found := slices.BinarySearchFunc(f.days, date, func(d day, date Date) int { return int(d.date) - int(date) })
	f.hit = i
	if found {
		return false
	}
	f.days = slices.Insert(f.days, i, day{date: date})
	oldest := f.newest() - Date(f.history) + 1
	n := 0
	for f.days[n].date < oldest {
		n++
	}
	f.days = slices.Delete(f.days, 0, n)
	f.hit -= n
	return n > 0
}

// recount computes total from the days.
func (f *Forecaster) recount() {
	f.total = usage{}
	for i := range f.days {
		f.total.merge(&f.days[i].usage)
	}
}

// maxModels bounds the models told apart on one day. Of more, the first by code
// point are kept and the rest is summed up, so that what is kept does not
// depend on the order of adding.
const maxModels = 64

// fewModels are as quickly looked through as searched by halves.
const fewModels = 8

// model returns the usage that a record of the named model belongs to.
func (d *day) model(name string) *usage {
	if d.hit < len(d.models) && d.models[d.hit].name == name {
		return &d.models[d.hit].usage
	}
	if len(d.models) <= fewModels {
		for i := range d.models {
			if d.models[i].name == name {
				d.hit = i
				return &d.models[i].usage
			}
		}
	}
	i, found := slices.BinarySearchFunc(d.models, name, func(m modelUse, name string) int {
		return strings.Compare(m.name, name)
	})
	if !found {
		if i == maxModels {
			return &d.other
		}
		if len(d.models) == maxModels {
			d.other.merge(&d.models[maxModels-1].usage)
			d.models = d.models[:maxModels-1]
		}
		// The name may be a piece of a whole request: keep only the piece.
		d.models = slices.Insert(d.models, i, modelUse{name: strings.Clone(name)})
	}
	d.hit = i
	return &d.models[i].usage
}

// maxTotal bounds every sum, so that adding two cannot overflow an int64.
const maxTotal = 1 << 62

func (u *usage) merge(o *usage) {
	u.records += o.records
	u.tokensIn += o.tokensIn
	u.tokensOut += o.tokensOut
	u.cost.Merge(o.cost)
}

func (u *usage) tokens() int64 { return u.tokensIn + u.tokensOut }

// checkRoom refuses a use that would take a sum of u above maxTotal.
func (u *usage) checkRoom(o *Use) error {
	// Both counts share the room, so that their sum fits too. The first
	// comparison keeps the second from overflowing.
	if room := maxTotal - u.tokens(); o.usage.tokensIn > room {
		return tooLarge("tokens_in", o.usage.tokensIn)
	} else if o.usage.tokensOut > room-o.usage.tokensIn {
		return tooLarge("tokens_out", o.usage.tokensOut)
	}
	if o.costUSD >= float64(maxTotal-u.cost.Hi-1) {
		return tooLarge("cost_usd", o.costUSD)
	}
	return nil
}

func (u *usage) checkRoomFor(o *usage) error {
	if o.tokens() > maxTotal-u.tokens() {
		return tooLarge("tokens", o.tokens())
	}
	if o.cost.Hi >= maxTotal-u.cost.Hi-1 {
		return tooLarge("cost_usd", o.cost.Float64())
	}
	if o.records > maxTotal-u.records {
		return tooLarge("records", o.records)
	}
	return nil
}

func tooLarge(field string, value any) error {
	return &analysis.FieldError{Field: field, Value: value, Want: "a number that keeps the sum at most 2^62"}
}
