package forecast

// Backtest is the table.
type Backtest struct{}
