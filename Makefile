# Candor. `make help` lists what there is; the README says what it is for.
SHELL   := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
GOFLAGS_RELEASE := -trimpath -ldflags "-s -w -X candor/internal/version.Version=$(VERSION)"
RACE    := $(addprefix ./internal/,media/... permit gate seal footage/... station live/... ingest/...)
export CGO_ENABLED := 0

.PHONY: help deps deps-demo demo test test-go test-race test-fuzz test-web test-browser smoke bench package lint build app promises-cut test-cut openapi clean
.DEFAULT_GOAL := help

help: ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

deps: ## install what the tests need (names each package; sudo when not root)
	@scripts/deps test

deps-demo:
	@scripts/deps demo

demo: deps-demo build ## build and start with the demo camera; prints the address and the set-up code
	@bin/candor demo

build: app bin/candor bin/candor-decode ## the app and the binaries, into bin/

bin/candor bin/candor-decode: FORCE
	@echo "building $@"
	@go build $(GOFLAGS_RELEASE) -o $@ ./cmd/$(@F)

app: web/dist/index.html

web/node_modules/.stamp: web/package.json web/package-lock.json
	@echo "installing the web app's packages (npm ci)"
	@cd web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.stamp

WEB_SOURCES := $(shell find web/src web/public web/scripts words -type f 2>/dev/null) ref/openapi.json $(wildcard web/*.ts web/*.js web/*.html)
web/dist/index.html: web/node_modules/.stamp $(WEB_SOURCES)
	@echo "building the web app"
	@cd web && npm run --silent build && touch dist/index.html dist/.keep

lint: app ## formatting, vet, types
	@bad=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); test -z "$$bad" || { echo "run gofmt -w on these:"; echo "$$bad"; exit 1; }
	@go vet ./...
	@cd web && npm run --silent check

test: deps build test-go test-cut test-race test-fuzz test-web smoke test-browser ## every test, unit to real browser

test-go: ## Go tests, both SQL engines, foreign peers
	@mkdir -p bin
	@scripts/steady go test -timeout 10m ./...

test-race: ## the race detector where goroutines meet
	@CGO_ENABLED=1 scripts/steady go test -race -timeout 15m $(RACE)

test-fuzz: ## some seconds of fuzzing for every parser of outside bytes
	@scripts/fuzz 2s

test-web: app ## unit tests of the web app
	@cd web && npm run --silent test

test-browser: build ## the journey in a real browser, with axe and screenshots
	@cd web && npm run --silent e2e || { echo "UNSTEADY: the journey failed and is walked once more"; npm run --silent e2e; }

smoke: build ## the main job end to end, one line a step (SMOKE_CLIP, SMOKE_SECONDS)
	@go run ./smoke

bench: deps build ## measure; results in bench/out/*.json
	@go run ./bench

package: build ## a Debian package with a systemd unit, into bin/
	@scripts/package $(VERSION) bin

promises-cut: build ## the full round: run every proof with and without its control, drill the probes, write policy/evidence.json
	@go run ./cmd/promisecheck mutate && go run ./cmd/promisecheck drill

test-cut: ## cut 20 controls chosen at random: their tests have to notice
	@go run ./cmd/promisecheck sample 20

openapi: build ## write ref/openapi.json and the client's types anew
	@bin/candor openapi > ref/openapi.json && cd web && npm run --silent api

clean: ## remove what was built
	@rm -rf bin web/dist/* bench/out && touch web/dist/.keep

FORCE:
