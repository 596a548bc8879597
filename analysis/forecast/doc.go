// Package forecast predicts what an agent will cost from what it has cost: daily
// predictions with intervals, a spending summary, and budgets with the day they
// run out.
//
// A [Forecaster] adds records up by UTC day, so adding a record costs the same
// however many came before, and a forecast costs the number of days. The sums
// are exact: the same records give the same forecast in any order, and however
// they were split over Forecasters that were merged.
//
// The methods linear, ema and average, the summary and [PeriodRecorded] budgets
// are the original AgentLens module's, to the last digit. The method best, the
// intervals of best, seasonal_naive and holt_winters, calendar budgets and the
// probability of exceeding are additions.
//
// It imports analysis and gonum's distributions, and is called by the SDK's
// users, the collector's processor and internal/stats.
package forecast
