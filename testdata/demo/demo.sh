#!/usr/bin/env bash
# Runs flowkit's main job on demo.mitm, saying what it does. `make demo` builds flowkit first.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bin/demo
rm -f bin/demo/*

step() { # step WORDS COMMAND
	printf '\n# %s\n$ %s\n' "$1" "$2"
	local code=0
	eval "$2" || code=$?
	if [ $code -ne 0 ] && [ $code -ne 141 ]; then # 141: the reader of a pipe, head, had enough
		echo "demo.sh: exit code $code" >&2
		exit $code
	fi
}

step 'A capture that mitmdump recorded: a visit to a shop. Its first flows:' \
	'bin/flowkit ls testdata/demo/demo.mitm | head'
step 'A script, the first example of mitmproxy'"'"'s documentation:' \
	'cat testdata/demo/add_header.star'
step 'Run it over every flow; the result is a file in flowkit'"'"'s own format:' \
	'bin/flowkit transform -s testdata/demo/add_header.star -r testdata/demo/demo.mitm -w bin/demo/out.flow'
step 'Export that as HAR, for browsers and other tools:' \
	'bin/flowkit export --har -r bin/demo/out.flow -w bin/demo/out.har'
step 'As JSON, one line for each flow:' \
	'bin/flowkit export --json -r bin/demo/out.flow -w bin/demo/out.jsonl'
step 'As a table, to read:' \
	'bin/flowkit export --table -r bin/demo/out.flow'
step 'All at once in a pipe, with a script that counts errors, marks slow flows and takes secrets out:' \
	'bin/flowkit transform -s testdata/demo/tour.star -r testdata/demo/demo.mitm -w - | bin/flowkit export --har -w bin/demo/tour.har'
step 'How many responses have the new header now?' \
	'grep -o '"'"'"newheader"'"'"' bin/demo/out.har | wc -l'

printf '\nThe results are in bin/demo:\n'
ls -l bin/demo | awk 'NR > 1 { printf "  %8d bytes  bin/demo/%s\n", $5, $9 }'
