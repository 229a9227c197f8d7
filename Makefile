SHELL       := bash
.SHELLFLAGS := -euo pipefail -c

GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

VERSION   = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 30s
# More flags for go test: make test TESTFLAGS=-v
TESTFLAGS ?=

# Modules of their own, so that flowkit does not need what they do.
MODULES = testdata/bench testdata/clients/grpc

# The programs below testdata, which ./... leaves out.
PROGRAMS = $(shell find testdata -name '*.go' -not -path '*/node_modules/*' $(MODULES:%=-not -path '%/*') \
	-exec dirname {} + | sort -u | sed 's,^,./,')

.DEFAULT_GOAL := help
.PHONY: help build demo test race lint fmt fuzz cover bench bench-capture torture clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/flowkit
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/flowkit ./cmd/flowkit

demo: build ## the main job, step by step, on a recorded visit to a shop; results in bin/demo
	@testdata/demo/demo.sh

test: lint ## lint and every test
	go test -timeout 10m $(TESTFLAGS) ./...

race: ## every test under the race detector
	go test -race -timeout 30m $(TESTFLAGS) ./...

lint: ## gofumpt, go vet, staticcheck
	@files=$$($(GOFUMPT) -l . $(PROGRAMS) $(MODULES)); \
	if [ -n "$$files" ]; then printf 'not as gofumpt has it (make fmt):\n%s\n' "$$files"; exit 1; fi
	go vet ./... $(PROGRAMS)
	$(STATICCHECK) ./... $(PROGRAMS)
	for module in $(MODULES); do (cd $$module && go vet ./... && $(STATICCHECK) ./...); done

fmt: ## write every Go file as gofumpt has it
	$(GOFUMPT) -w . $(PROGRAMS) $(MODULES)

fuzz: ## every fuzz target for FUZZTIME (30s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file func; do \
		echo "$${file%/*}: $${func#func }"; \
		go test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "$${file%/*}" </dev/null; \
	done

cover: ## coverage of the tests: bin/cover.html and a total
	@mkdir -p bin
	go test -timeout 20m -coverpkg=./... -coverprofile=bin/cover.out ./...
	go tool cover -html=bin/cover.out -o bin/cover.html
	@go tool cover -func=bin/cover.out | tail -n 1

bench: build ## the Go benchmarks, then whole commands against each other (testdata/bench)
	go test -run '^$$' -bench . ./...
	cd testdata/bench && go run . ../../bin/flowkit ../../bin/bench

bench-capture: build ## flowkit capture against other proxies: CPU per request, memory, latency; minutes
	cd testdata/bench && go build -o ../../bin/bench-capture ./capture
	bin/bench-capture bin/flowkit

torture: ## the long forms of the tests, hours
	FLOWKIT_LONG=1 go test -count=1 -timeout 6h $(TESTFLAGS) ./...

clean: ## remove what the other targets made
	rm -rf bin testdata/harcheck/node_modules testdata/clients/undici/node_modules
