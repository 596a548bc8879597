# Everything here needs Go, make and git, and says so where it needs more.

GO      ?= go
TOOL     = $(GO) tool -modfile=$(CURDIR)/tools/go.mod
BIN      = bin
VERSION ?= $(shell sed -n 's/^  version: //p' builder-config.yaml)

EXAMPLES = openai anthropic mcp multi-agent tracer-provider

examples: ## every example, offline
	@for e in $(EXAMPLES); do echo "== $$e"; CGO_ENABLED=0 $(GO) run ./examples/$$e || exit 1; done
	CGO_ENABLED=0 $(GO) test -count=1 ./examples/unit-test

# The race detector needs a C compiler; without one the tests run without it.
CC_FOUND := $(shell command -v "$$($(GO) env CC)" 2>/dev/null)
RACE      = $(if $(CC_FOUND),-race,)

# Tests of time and allocations skip themselves under the race detector, so their
# packages are tested once more without it.
RACELESS = $(addprefix ./,$(dir $(wildcard */*/race_off_test.go */*/*/race_off_test.go)))

JAEGER = github.com/jaegertracing/jaeger/cmd/all-in-one@v1.41.0

.PHONY: build demo examples test jaeger fmt lint generate check-generated screenshots stats soak bench bench-short bench-collector fuzz clean

build: ## the collector with its backend, one static binary: bin/agentlens
	@echo "Building bin/agentlens (the first time compiles the collector: one to three minutes)"
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN)/agentlens ./cmd/agentlens

demo: build ## the whole road on this machine; DEMO_EXIT=1 stops after printing
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/quickstart ./examples/quickstart
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/demo ./examples/demo
	@$(BIN)/demo -bin $(BIN)

test: jaeger ## all tests, with the race detector where there is a C compiler
	@$(if $(CC_FOUND),,echo "No C compiler ($$($(GO) env CC)): testing without the race detector")
	CGO_ENABLED=$(if $(CC_FOUND),1,0) $(GO) test $(RACE) -timeout 20m ./...
	$(if $(RACE),CGO_ENABLED=0 $(GO) test $(RACELESS))
	cd bench && CGO_ENABLED=0 $(GO) test ./...

jaeger: $(BIN)/jaeger-all-in-one ## the Jaeger that one of the tests sends to

# Without it that test is skipped, and says so; CI requires it.
$(BIN)/jaeger-all-in-one:
	@mkdir -p $(BIN)
	@echo "Installing Jaeger 1.41.0 into $(BIN) for the tests"
	-@CGO_ENABLED=0 GOBIN=$(CURDIR)/$(BIN) $(GO) install $(JAEGER) && mv $(BIN)/all-in-one $@

# What people write, and gofumpt formats.
WRITTEN = git ls-files '*.go' | grep -v -E '(^|/)generated_|^cmd/agentlens/(components|main)|^bench/collector/'

fmt: ## format with gofumpt
	$(TOOL) gofumpt -w $$($(WRITTEN))

lint: ## gofumpt, go vet, staticcheck
	@out=$$($(TOOL) gofumpt -l $$($(WRITTEN))); \
		if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	cd bench && $(GO) vet ./... && $(TOOL) staticcheck ./...

generate: ## cmd/agentlens and bench/collector from their builder-config.yaml, and every go:generate
	$(TOOL) builder --config builder-config.yaml --skip-compilation --skip-get-modules
	sed 's/otelcol.NewCommand(params)/newCommand(params)/' cmd/agentlens/main.go > cmd/agentlens/main.go.new
	mv cmd/agentlens/main.go.new cmd/agentlens/main.go
	cd bench && $(TOOL) builder --config builder-config.yaml --skip-compilation --skip-get-modules
	gofmt -w cmd/agentlens bench/collector
	$(GO) generate ./...

check-generated: generate ## fails when a generated file is not what its source says
	@git diff --exit-code --stat || { echo "Generated files differ: run make generate and commit."; exit 1; }

RUNS ?= 2000

stats: ## the engines' error rates, by RUNS simulations a row (about two minutes on two cores)
	$(GO) run ./internal/stats -runs $(RUNS)

SOAK ?= 2m

soak: ## 100,000 open sessions under steady spans for SOAK: memory and time a span
	AGENTLENS_SOAK=$(SOAK) $(GO) test ./processor/agentlensprocessor -run '^TestSoak$$' -count=1 -v -timeout 1h

# bench: which parts (pipelines, small, http, rate, growth, backend, latency,
# profiles, go), how many rounds, how long a run warms up and is measured, how
# many sessions the growth goes up to, how often the Go benchmarks run.
BENCH_PARTS    ?= pipelines,small,http,rate,growth,backend,latency,profiles,go
BENCH_ROUNDS   ?= 5
BENCH_WARM     ?= 2500ms
BENCH_LENGTH   ?= 4s
BENCH_SESSIONS ?= 1000000
BENCH_COUNT    ?= 6

bench-collector:
	cd bench && CGO_ENABLED=0 $(GO) build -o ../$(BIN)/agentlens-bench ./collector && CGO_ENABLED=0 $(GO) build -o ../$(BIN)/bench .

bench: bench-collector ## AgentLens beside a bare collector and its peers: bench/results/table.md (about 40 minutes)
	cd bench && ../$(BIN)/bench -parts $(BENCH_PARTS) -rounds $(BENCH_ROUNDS) -warm $(BENCH_WARM) -length $(BENCH_LENGTH) \
		-sessions $(BENCH_SESSIONS) -count $(BENCH_COUNT)

bench-short: bench-collector ## four engines beside a bare collector, half a minute; fails on a gross regression only
	cd bench && ../$(BIN)/bench -short

FUZZTIME ?= 60s

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for file in $$(git grep -l '^func Fuzz' -- '*_test.go'); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "$$target ($$file)"; \
			$(GO) test ./$$(dirname $$file) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s; \
		done; \
	done

screenshots: ## pictures of every page, light and dark, in docs/images; needs chromium and a font with emoji
	CI=1 SCREENSHOTS=$(CURDIR)/docs/images $(GO) test -count=1 -run TestScreenshots ./backend/browser

clean:
	rm -rf $(BIN) .agentlens
