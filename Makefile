# Everything here needs Go, make and git, and says so where it needs more.

GO      ?= go
TOOL     = $(GO) tool -modfile=$(CURDIR)/tools/go.mod
BIN      = bin
VERSION ?= $(shell sed -n 's/^  version: //p' builder-config.yaml)

.PHONY: build demo test lint generate check-generated fuzz stats clean

build: ## the collector with its backend, one static binary: bin/agentlens
	@echo "Building bin/agentlens (the first time compiles the collector: one to three minutes)"
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN)/agentlens ./cmd/agentlens

demo: build ## the whole road on this machine; DEMO_EXIT=1 stops after printing
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/quickstart ./examples/quickstart
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/demo ./examples/demo
	@$(BIN)/demo -bin $(BIN)

test: ## all tests, with the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

lint: ## gofumpt, go vet, staticcheck
	@out=$$($(TOOL) gofumpt -l $$(git ls-files '*.go' | grep -v -E '(^|/)generated_|^cmd/agentlens/(components|main)')); \
		if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

generate: ## cmd/agentlens from builder-config.yaml, and every go:generate
	$(TOOL) builder --config builder-config.yaml --skip-compilation --skip-get-modules
	sed 's/otelcol.NewCommand(params)/newCommand(params)/' cmd/agentlens/main.go > cmd/agentlens/main.go.new
	mv cmd/agentlens/main.go.new cmd/agentlens/main.go
	gofmt -w cmd/agentlens
	$(GO) generate ./...

check-generated: generate ## fails when a generated file is not what its source says
	@git diff --exit-code --stat || { echo "Generated files differ: run make generate and commit."; exit 1; }

clean:
	rm -rf $(BIN) .agentlens
