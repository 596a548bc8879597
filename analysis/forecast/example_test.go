package forecast_test

import (
	"fmt"
	"log"
	"time"

	"github.com/agentlens/agentlens-otel/analysis/forecast"
)

func Example() {
	forecaster, err := forecast.New()
	if err != nil {
		log.Fatal(err)
	}
	// Feed historical data points.
	for day := 1; day <= 3; day++ {
		err := forecaster.Add(forecast.UsageRecord{
			Timestamp: time.Date(2026, 3, day, 10, 0, 0, 0, time.UTC),
			TokensIn:  5000, TokensOut: 2000,
			CostUSD: 0.035, Model: "gpt-4o",
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	// Forecast the next 7 days.
	result, err := forecaster.Daily(7, forecast.MethodAuto)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Predicted 7-day cost: $%.2f\n", result.TotalPredictedCost)
	fmt.Printf("Method used: %s\n", result.Method)
	for _, day := range result.DailyPredictions[:2] {
		fmt.Printf("  %s: $%.4f\n", day.Date, day.PredictedCost)
	}
	// Get a spending summary.
	summary, err := forecaster.Summary()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Daily average: $%.4f\n", summary.DailyAverage)
	fmt.Printf("Monthly projection: $%.2f\n", summary.MonthlyProjection)
	fmt.Printf("Most expensive model: %s\n", summary.TopModel)
	// Output:
	// Predicted 7-day cost: $0.25
	// Method used: ema
	//   2026-03-04: $0.0350
	//   2026-03-05: $0.0350
	// Daily average: $0.0350
	// Monthly projection: $1.05
	// Most expensive model: gpt-4o
}

// Two weeks with quiet weekends: best finds them.
func ExampleResult_Render() {
	result, err := twoWeeks().Daily(7, forecast.MethodBest)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(result.Render())
	// Output:
	// Cost forecast, 7 days, method best, from 14 days of data
	//
	//              day    cost    low    high   tokens
	//   Mon 2026-03-16  $10.10  $8.36  $11.83  1211404
	//   Tue 2026-03-17  $10.11  $8.29  $11.92  1212920
	//   Wed 2026-03-18  $10.10  $8.21  $11.99  1212109
	//   Thu 2026-03-19  $10.11  $8.15  $12.07  1213368
	//   Fri 2026-03-20  $10.10  $8.07  $12.12  1211525
	//   Sat 2026-03-21   $3.08  $2.44   $3.72   369515
	//   Sun 2026-03-22   $3.08  $2.43   $3.74   370061
	//            total  $56.67                 6800902
	//
	// Back-test: 7 origins, up to 7 days ahead; weekly season found
	// method                        MASE  weight
	// average, season removed       0.18  11 %
	// linear, season removed        0.20  8 %
	// ema, season removed           0.19  77 %
	// seasonal_naive                0.33  1 %
	// holt_winters, season removed  0.19  3 %
	// average                       1.47  0 %
	// linear                        2.06  0 %
	// ema                           1.59  0 %
	// holt_winters                  2.03  0 %
}

func ExampleForecaster_CheckBudget() {
	report, err := twoWeeks().CheckBudget(forecast.Budget{LimitUSD: 220, Period: forecast.PeriodMonthly})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report.Render())
	// Output:
	// Budget $220.00 (monthly, 2026-03-01 to 2026-03-31): critical
	// Budget overrun likely: projected $246.11 vs $220.00 limit (+12%). ~12 days until exceeded.
	//
	// spent                     $112.50     (51 %)
	// projected                 $246.11     (112 %)
	// used up on                2026-03-28
	// probability of exceeding  98 %
}

func ExampleSummary_Render() {
	summary, err := twoWeeks().Summary()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(summary.Render())
	// Output:
	// Spending from 2026-03-02 to 2026-03-15 (14 days)
	//
	// total         $112.50    13499998 tokens (11249998 in, 2250000 out), 14 records
	// a day         $8.04      964285 tokens
	// 7 days        $56.25
	// 30 days       $241.07
	// 1,000 tokens  $0.008333
	// busiest day   $10.90     2026-03-04
	// trend         stable     -3.8 % of the average a day
	//
	// gpt-4o       $58.60  5859999 tokens in, 1172000 out, 7 records
	// gpt-4o-mini  $53.90  5389999 tokens in, 1078000 out, 7 records
}

// twoWeeks cost about 10 dollars on working days and 3 on weekends.
func twoWeeks() *forecast.Forecaster {
	f, err := forecast.New()
	if err != nil {
		log.Fatal(err)
	}
	costs := []float64{10.2, 9.1, 10.9, 9.7, 10.4, 3.1, 2.8, 9.5, 10.6, 9.9, 10.8, 9.3, 2.9, 3.3}
	for i, cost := range costs {
		record := forecast.UsageRecord{
			Timestamp: time.Date(2026, 3, 2+i, 10, 0, 0, 0, time.UTC),
			TokensIn:  int64(1e5 * cost), TokensOut: int64(2e4 * cost),
			CostUSD: cost, Model: []string{"gpt-4o", "gpt-4o-mini"}[i%2],
		}
		if err := f.Add(record); err != nil {
			log.Fatal(err)
		}
	}
	return f
}
