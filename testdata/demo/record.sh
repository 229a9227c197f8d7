#!/usr/bin/env bash
# Records demo.mitm (or the file named as the only argument) with mitmdump 8.1.1. Needs mitmdump, curl and go.
# All traffic stays on 127.0.0.1: an addon sends the names below shop.example to the origin, as a resolver would.
set -euo pipefail

cd "$(dirname "$0")"
out=$(realpath -m "${1:-demo.mitm}")
proxy=127.0.0.1:${PROXY_PORT:-18080}
dns=127.0.0.1:${DNS_PORT:-18053}

tmp=$(mktemp -d)
pids=()
finish() {
	for pid in "${pids[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$tmp"
}
trap finish EXIT

await() { # await WHAT COMMAND...: until the command succeeds
	local what=$1
	shift
	for _ in $(seq 150); do
		if "$@" 2>/dev/null; then return; fi
		sleep 0.2
	done
	echo "record.sh: no $what after 30 s" >&2
	cat "$tmp"/*.log >&2
	exit 1
}

go build -o "$tmp/origin" ./origin
"$tmp/origin" serve -state "$tmp" >"$tmp/origin.log" 2>&1 &
pids+=($!)
await origin test -s "$tmp/ports"
port() { sed -n "s/^$1=127.0.0.1://p" "$tmp/ports"; }

cat >"$tmp/loopback.py" <<EOF
import asyncio

PORTS = {80: $(port http), 443: $(port https), 6379: $(port queue), 9000: $(port sensor)}
dial = asyncio.open_connection


async def open_connection(host, port, **kw):
    assert host == "shop.example" or host.endswith(".shop.example"), host
    port = $(port down) if host == "down.shop.example" else PORTS[port]
    return await dial("127.0.0.1", port, **kw)


asyncio.open_connection = open_connection
EOF

rm -f "$tmp/demo.mitm"
mitmdump -q -w "$tmp/demo.mitm" -s "$tmp/loopback.py" \
	--listen-host 127.0.0.1 --listen-port "${proxy##*:}" \
	--set confdir="$tmp/conf" --set ssl_verify_upstream_trusted_ca="$tmp/ca.pem" \
	--set tcp_hosts='^queue\.' \
	--set dns_server=true --set dns_listen_port="${dns##*:}" --set dns_mode="reverse:127.0.0.1:$(port dns)" \
	>"$tmp/mitmdump.log" 2>&1 &
pids+=($!)
mitmdump_pid=$!
ca=$tmp/conf/mitmproxy-ca-cert.pem
await mitmdump bash -c ": </dev/tcp/${proxy/://}"
await "the proxy's certificate" test -s "$ca"

"$tmp/origin" drive -proxy "$proxy" -dns "$dns" -cacert "$ca"

get() { curl -sS -o "$tmp/body" --max-time 20 --noproxy '' -x "http://$proxy" --cacert "$ca" "$@"; }
get http://shop.example/catalogue.bin
get -r 0-99 http://cdn.shop.example/catalogue.bin
get -I http://shop.example/
get -L http://shop.example/account
get http://shop.example/private
get -u ada:lovelace http://shop.example/private
printf '# Notes\n\nWater at 80 °C for green tea.\n' >"$tmp/notes.md"
get -F title=notes -F "file=@$tmp/notes.md;type=text/markdown" http://shop.example/upload
get --compressed https://shop.example/about
get --http1.1 https://shop.example/login
get --http1.1 -b 'session=8f14e45fceea167a; user=ada' https://shop.example/account
get --http1.1 https://shop.example/headers
get --json '{"name":"tin teapot","price":5}' https://api.shop.example/v1/products
get -X DELETE https://api.shop.example/v1/products/3
get -G --data-urlencode 'q=green & white' --data-urlencode 'page=2' https://api.shop.example/v1/products
get --http1.1 https://api.shop.example/v1/crash

# An orderly end: mitmdump writes what is still open.
kill -INT "$mitmdump_pid"
wait "$mitmdump_pid" || true
if grep -i traceback "$tmp/mitmdump.log"; then
	cat "$tmp/mitmdump.log" >&2
	exit 1
fi
mv "$tmp/demo.mitm" "$out"
echo "$out: $(wc -c <"$out") bytes"
