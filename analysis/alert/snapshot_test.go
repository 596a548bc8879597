package alert

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentlens/agentlens-otel/analysis"
)

func TestAdoptRefusesWhatDoesNotFit(t *testing.T) {
	old := compileOne(t, RateCondition("event_type", "error", 10, 2), 5)
	st := old.NewState()
	for i := range 3 {
		e := at(i, analysis.EventError)
		old.Observe(st, &e, nil)
	}
	require.Equal(t, []string{"r"}, old.Firing(st))
	text, err := json.Marshal(old.Snapshot(st))
	require.NoError(t, err)
	read := func() *Snapshot {
		var s Snapshot
		require.NoError(t, json.Unmarshal(text, &s))
		return &s
	}
	assert.Equal(t, []string{"r"}, old.Firing(old.Adopt(read())))

	// A rule that has changed starts afresh, its neighbours go on.
	changed, err := NewRuleSet([]Rule{
		{Name: "new", Condition: ConsecutiveCondition("error", 1)},
		{Name: "r", Condition: RateCondition("event_type", "error", 20, 2)},
	})
	require.NoError(t, err)
	assert.Empty(t, changed.Firing(changed.Adopt(read())))

	for name, spoil := range map[string]func(*Snapshot){
		"times without a newest":   func(s *Snapshot) { s.NewestMicros, s.Rules[0].LastMicros = nil, nil },
		"unsorted times":           func(s *Snapshot) { s.Rules[0].Nodes[0].Times[0] = math.MaxInt64 },
		"too many times":           func(s *Snapshot) { s.Rules[0].Nodes[0].Times = append(s.Rules[0].Nodes[0].Times, math.MaxInt64) },
		"too many nodes":           func(s *Snapshot) { s.Rules[0].Nodes = append(s.Rules[0].Nodes, NodeSnapshot{}) },
		"a sample where none goes": func(s *Snapshot) { s.Rules[0].Nodes[0].Window.Samples = []Sample{{1, 1}} },
		"an alert without a time":  func(s *Snapshot) { s.NewestMicros, s.Rules[0].Nodes[0].Times = nil, nil },
		"held in the future":       func(s *Snapshot) { s.Rules[0].Nodes[0].Last = 99 },
	} {
		s := read()
		spoil(s)
		assert.Empty(t, old.Firing(old.Adopt(s)), name)
	}
}

// The form in which a state is written down stays: this one was written before
// states had another form in memory, after a slow event and six errors.
func TestWrittenStateGoesOn(t *testing.T) {
	rules, err := ParseYAML([]byte(everyType))
	require.NoError(t, err)
	rs, err := NewRuleSet(rules)
	require.NoError(t, err)
	written, err := os.ReadFile("testdata/state.json")
	require.NoError(t, err)
	var s Snapshot
	require.NoError(t, json.Unmarshal(written, &s))

	st := rs.NewState()
	slow := analysis.Event{DurationMS: analysis.Some(0.5), Output: json.RawMessage(`{"score":0.1}`)}
	rs.Observe(st, &slow, nil)
	for i := range 6 {
		e := at(i, analysis.EventError)
		rs.Observe(st, &e, nil)
	}
	adopted := rs.Adopt(&s)
	require.Equal(t, []string{"Error spike", "Stuck"}, rs.Firing(adopted))
	require.Equal(t, rs.Snapshot(st), rs.Snapshot(adopted))
	again, err := json.Marshal(rs.Snapshot(adopted))
	require.NoError(t, err)
	require.JSONEq(t, string(written), string(again))
}

func TestAdoptRefusesSamplesThatDoNotFit(t *testing.T) {
	rs := compileOne(t, AggregateCondition("duration_ms", "sum", ">", 1), 0)
	for name, samples := range map[string][]Sample{
		"from the future":  {{Event: 61, Value: 5}},
		"from long ago":    {{Event: 10, Value: 5}},
		"out of order":     {{Event: 58, Value: 5}, {Event: 57, Value: 5}},
		"of one event":     {{Event: 58, Value: 5}, {Event: 58, Value: 5}},
		"that do fit: yes": {{Event: 11, Value: 5}, {Event: 60, Value: 5}},
	} {
		s := rs.Snapshot(rs.NewState())
		s.Events, s.Rules[0].Firing = 60, true
		s.Rules[0].Nodes[0].Window.Samples = samples
		assert.Equal(t, name == "that do fit: yes", rs.Firing(rs.Adopt(s)) != nil, name)
	}
}
