package jsonl

// Keys of the objects, for telling known from unknown ones.
var (
	flowKeys = set(
		"type", "id", "created", "url", "start", "request", "response", "websocket", "messages", "dns_request",
		"dns_response", "error", "client", "server", "marked", "comment", "replay", "intercepted", "incomplete",
		"metadata", "origin", "_msgpack",
	)
	messageKeys = set(
		"method", "scheme", "host", "port", "authority", "path", "status", "reason", "http_version", "headers",
		"trailers", "body", "content", "start", "end", "_msgpack",
	)
	connKeys = set(
		"id", "transport", "peer", "sock", "address", "via", "start", "tcp_setup", "tls_setup", "end", "tls",
		"tls_version", "cipher", "ciphers", "sni", "alpn", "alpn_offers", "certificates", "mitmcert", "proxy_mode",
		"error", "state", "_msgpack",
	)
	websocketKeys = set("closed_by_client", "close_code", "close_reason", "end", "_msgpack")
	errorKeys     = set("msg", "time", "_msgpack")
	msgKeys       = set("from_client", "opcode", "time", "dropped", "injected", "body", "_msgpack")
	originKeys    = set("format", "version", "head", "holes", "changed", "_msgpack")
	dnsKeys       = set(
		"id", "query", "op_code", "authoritative_answer", "truncation", "recursion_desired", "recursion_available",
		"reserved", "response_code", "questions", "answers", "authorities", "additionals", "time", "_msgpack",
	)
)

func set(keys ...string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}
