#!/usr/bin/env bash
# Runs flowkit's main job on demo.mitm, saying what it does. `make demo` builds flowkit first.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bin/demo
rm -f bin/demo/*
export PATH="$PWD/bin:$PATH" demo=testdata/demo out=bin/demo

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

step() { # step WORDS COMMAND
	printf '\n%s\n%s$ %s%s\n' "$1" "$bold" "$2" "$plain"
	local code=0
	eval "$2" || code=$?
	if [ $code -ne 0 ] && [ $code -ne 141 ]; then # 141: the reader of a pipe, head, had enough
		echo "demo.sh: exit code $code" >&2
		exit $code
	fi
}

echo 'flowkit works with recorded web traffic. This is a visit to a tea shop, recorded with mitmdump.'
step '1. What is in the file?' \
	'flowkit info $demo/demo.mitm'
step '2. Its first flows:' \
	'flowkit ls -r $demo/demo.mitm | head -n 8'
step '3. A script, the first example of mitmproxy'"'"'s documentation:' \
	'cat $demo/add_header.star'
step '4. Run it over every flow. The result is a file in flowkit'"'"'s own format:' \
	'flowkit transform -s $demo/add_header.star -r $demo/demo.mitm -w $out/out.flow'
step '5. One flow as it is now; see its last header:' \
	'flowkit show 22 -r $out/out.flow'
step '6. Export them as HAR, for browsers and other tools (which have no place for TCP and DNS):' \
	'flowkit export --har -r $out/out.flow -w $out/out.har'
step '7. As JSON, one line for each flow, here cut short:' \
	'flowkit export --json -r $out/out.flow -w $out/out.jsonl; head -n 3 $out/out.jsonl | cut -c 1-100'
step '8. As a table, here of what went wrong:' \
	'flowkit export --table -r $out/out.flow "~c 500 | ~c 503 | ~e"'
step '9. All in a pipe, with a script that counts server errors, takes secrets out and marks flows:' \
	'flowkit transform -s $demo/tour.star -r $demo/demo.mitm | flowkit ls "~marked"'
step '10. Is all of it whole?' \
	'flowkit verify $out/out.flow $out/out.jsonl'

printf '\nThe results are in bin/demo:\n'
ls -l bin/demo | awk 'NR > 1 { printf "  %8d bytes  bin/demo/%s\n", $5, $9 }'
printf '\nGo on with: bin/flowkit --help\n'
