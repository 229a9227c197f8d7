package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

var liveCases = []*liveCase{
	{
		script: "headers",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("POST", "/a", "X-CASE: 1\r\nX-Gone: 1\r\nx-dup: 1\r\nX-DUP: 2\r\nConnection: keep-alive\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n", "body")
			c.ask("OPTIONS", "/b%20c?q=%2F&r", "x-case:  spaces  \r\nx-gone: 1\r\n", "")
		},
		known: func(_ *liveSide, lines []string) []string {
			// A field that clients mean for the proxy; flowkit keeps it to itself.
			return dropLines(lines, "^origin < Proxy-Connection:")
		},
	},
	{
		name: "reverse", script: "headers", mode: "reverse:http://ORIGIN",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.askIn("GET", "/a", "X-CASE: 1\r\nX-Gone: 1\r\n", "")
			c.askIn("POST", "/b", "X-CASE: 1\r\nX-Gone: 1\r\nTransfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n")
		},
	},
	{
		name: "socks5", script: "headers", mode: "socks5",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.socks()
			c.askIn("GET", "/a", "X-CASE: 1\r\nX-Gone: 1\r\n", "")
			c.askIn("HEAD", "/b", "X-CASE: 1\r\nX-Gone: 1\r\n", "")
		},
	},
	{
		name: "pipelined", script: "headers",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			const rest = " HTTP/1.1\r\nHost: ORIGIN\r\nX-Case: 1\r\nX-Gone: 1\r\n\r\n"
			c.send("GET http://ORIGIN/a" + rest + "GET http://ORIGIN/b" + rest)
			c.response("GET")
			c.response("GET")
		},
	},
	{
		script: "redirect",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			for _, path := range []string{"/port", "/both", "/url", "/path"} {
				c.ask("GET", path, "x-other: OTHER\r\n", "")
			}
		},
		known: func(s *liveSide, lines []string) []string {
			// Newer mitmproxy: the Host field follows the port, too.
			if i := slices.Index(lines, "other < GET /port HTTP/1.1"); i >= 0 && !s.flowkit {
				lines[i+1] = strings.Replace(lines[i+1], "ORIGIN", "OTHER", 1)
			}
			return lines
		},
	},
	{
		name: "redirect-tls", script: "redirect", eager: true, serve: (*liveOrigin).https,
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.tunnel("")
			c.secure("origin.example", false, "http/1.1")
			c.askIn("GET", "/url", "x-other: OTHER\r\n", "")
			c.askIn("GET", "/path", "", "")
			c.askIn("GET", "/plain", "x-other: OTHER\r\n", "")
			c.askIn("GET", "/same", "", "")
		},
	},
	{
		name: "redirect-secure", script: "redirect", serve: (*liveOrigin).https,
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/secure", "", "")
			c.ask("POST", "/secure", "", "body")
		},
	},
	{
		script: "upstream", mode: "upstream:http://ORIGIN",
		traffic: func(s *liveSide) {
			c := s.dial()
			c.begin("GET", "http://named.example:8000/a", "", "")
			c.response("GET")
			c.Close()
			c = s.dial()
			defer c.Close()
			c.tunnel("")
			c.secure("origin.example", false, "http/1.1")
			c.askIn("GET", "/b", "", "")
		},
		known: func(s *liveSide, lines []string) []string {
			// Newer mitmproxy: a CONNECT to the second proxy has a Host field.
			if i := slices.Index(lines, "origin < CONNECT ORIGIN HTTP/1.1"); i >= 0 && s.flowkit {
				lines = slices.Delete(lines, i+1, i+2)
			}
			return sub(lines, `^(http_connect_upstream .*)\(\(b'Host', b'ORIGIN'\),\)$`, "$1()")
		},
	},
	{
		script: "replace",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			for _, path := range []string{"/request", "/copy", "/answered", "/head", "/response"} {
				c.ask("GET", path, "", "")
			}
		},
	},
	{
		script: "answer",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("POST", "/early", "", "body")
			c.ask("GET", "/text", "", "")
			c.ask("GET", "/empty", "", "")
			c.ask("POST", "/fields", "", "body")
			c.ask("HEAD", "/head", "", "")
			c.ask("GET", "/moved", "", "")
			c.ask("GET", "/real", "", "")
		},
		known: func(_ *liveSide, lines []string) []string {
			// mitmproxy sends the body of a script's answer to HEAD, which the client takes for the next answer.
			return sub(lines, "^< 0123456789HTTP", "< HTTP")
		},
	},
	{
		name: "answer-dead", script: "answer", // what no server could
		traffic: func(s *liveSide) {
			c := s.dial()
			c.begin("GET", "http://DEAD/text", "", "")
			c.response("GET")
			c.Close()
			c = s.dial()
			defer c.Close()
			c.send("CONNECT DEAD HTTP/1.1\r\n\r\n")
			c.response("CONNECT")
			c.secure("origin.example", false, "http/1.1")
			c.askIn("GET", "/text", "", "")
		},
	},
	{
		script: "kill",
		traffic: func(s *liveSide) {
			for _, path := range []string{"/requestheaders", "/request", "/responseheaders", "/response", "/none"} {
				c := s.dial()
				c.ask("POST", path, "", "body")
				c.Close()
			}
		},
	},
	{
		script: "body",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("POST", "/text", "Content-Type: text/plain; charset=utf-8\r\n", "some tea")
			c.ask("POST", "/form", "Content-Type: application/x-www-form-urlencoded\r\n", "a=1&b=2&a=%C3%A9")
			c.ask("POST", "/none", "", "some")
			c.ask("GET", "/cookies", "Cookie: a=1; b=2\r\nCookie: c=3\r\n", "")
			c.ask("POST", "/chunked", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
			c.ask("GET", "/json", "", "")
			c.ask("GET", "/raw", "", "")
			c.ask("GET", "/nothing", "", "")
			c.ask("HEAD", "/headed", "", "")
			c.ask("GET", "/eof", "", "")
		},
	},
	{
		script: "large", last: "kept /edit/large",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			text := strings.Repeat("0123456789", 30_000)
			c.ask("POST", "/same", "", text)
			c.ask("POST", "/edit", "", text)
			c.ask("GET", "/large", "", "")
			c.ask("GET", "/edit/large", "", "")
		},
	},
	{
		name: "http10", script: "headers",
		traffic: func(s *liveSide) {
			for _, fields := range []string{"", "Connection: keep-alive\r\n"} {
				c := s.dial()
				c.send("GET http://ORIGIN/a HTTP/1.0\r\nHost: ORIGIN\r\nX-Case: 1\r\nX-Gone: 1\r\n" + fields + "\r\n")
				c.response("GET")
				s.check(c.SetDeadline(time.Now().Add(200 * time.Millisecond)))
				c.closed()
				c.Close()
			}
		},
	},
	{
		name: "expect", script: "body",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			for _, path := range []string{"/first", "/again"} {
				c.begin("POST", "http://ORIGIN"+path, "Expect: 100-continue\r\nContent-Length: 4\r\n", "")
				c.response("POST")
				c.send("body")
				c.response("POST")
			}
		},
		known: func(_ *liveSide, lines []string) []string {
			// mitmproxy takes the field away when it has answered it; flowkit passes it on (RFC 9110 §10.1.1).
			return dropLines(lines, "^origin < Expect:")
		},
	},
	{
		script: "coding",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/edit/gzip", "Accept-Encoding: gzip\r\n", "")
			c.ask("GET", "/decode/gzip", "", "")
			c.ask("GET", "/encode/json", "", "")
			c.ask("GET", "/same/gzip", "", "")
		},
	},
	{
		script: "stream", last: "response /held", times: 1,
		traffic: func(s *liveSide) {
			for _, path := range []string{"/true/a", "/true/chunked", "/true/eof", "/upper/chunked", "/count/chunked", "/several/chunked", "/nothing/chunked", "/held/chunked"} {
				c := s.dial()
				c.ask("GET", path, "", "")
				if path != "/nothing/chunked" {
					s.await("response "+path, 1)
				}
				c.Close()
			}
		},
		known: func(_ *liveSide, lines []string) []string {
			// Where a function returns no bytes of a piece, mitmproxy sends an empty chunk: the end, for the client, which
			// may be gone before the response is over.
			return dropLines(lines, "^response /nothing/")
		},
	},
	{
		name: "stream-length", script: "stream",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/upper/a", "", "")
		},
		known: func(_ *liveSide, lines []string) []string {
			// mitmproxy keeps a Content-Length that the function may have made wrong; flowkit goes over to chunks.
			lines = dropLines(lines, "^< (Content-Length|Transfer-Encoding):")
			return sub(lines, `^< \[(chunked|of a length):`, "< [")
		},
	},
	{
		script: "reqstream",
		traffic: func(s *liveSide) {
			for _, path := range []string{"/true", "/upper", "/end"} {
				c := s.dial()
				c.ask("POST", path+"/chunked", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
				c.ask("GET", path+"/empty", "", "")
				c.Close()
			}
			c := s.dial()
			defer c.Close()
			c.ask("POST", "/true/length", "", "abcde")
		},
		known: func(_ *liveSide, lines []string) []string {
			// A body that is here already, or empty, goes on behind the request event, so that it can be sent again if the
			// server's connection turns out to be dead: the script is not too late for the head. An empty body is known.
			lines = dropLines(lines, "^origin < X-Late:")
			return sub(lines, "^(request .*/empty) .*", "$1")
		},
	},
	{
		name: "reqstream-hangup", script: "reqstream",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("POST", "/true/hangup", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")
		},
	},
	{
		script: "errors", last: "error /dead",
		traffic: func(s *liveSide) {
			for _, path := range []string{"/hangup", "/reset", "/half", "/nonsense"} {
				c := s.dial()
				c.ask("GET", path, "", "")
				s.await("error "+path, 1)
				c.Close()
			}
			c := s.dial()
			defer c.Close()
			c.begin("GET", "http://DEAD/dead", "", "")
			c.response("GET")
		},
		known: func(_ *liveSide, lines []string) []string {
			// Whether a flow's error or its connection's end is told first is nowhere said.
			return apart(lines, "^server_disconnected")
		},
	},
	{
		name: "gone", script: "errors", last: "server_disconnected",
		traffic: func(s *liveSide) {
			c := s.dial()
			c.begin("GET", "http://ORIGIN/large", "", "")
			s.await("response /large", 1)
			c.Close()
		},
	},
	{
		script: "connections", last: "client_disconnected", times: 2,
		traffic: func(s *liveSide) {
			c := s.dial()
			c.ask("GET", "/1", "", "")
			c.ask("POST", "/2", "", "body")
			c.begin("GET", "http://OTHER/3", "", "")
			c.response("GET")
			c.Close()
			s.await("client_disconnected", 1)
			s.await("server_disconnected", 2)
			c = s.dial()
			c.ask("GET", "/close", "", "")
			c.closed()
			c.Close()
		},
		known: func(s *liveSide, lines []string) []string {
			// When a client has gone, mitmproxy tells that before the ends of its servers' connections, flowkit behind.
			// Which of those comes first is nowhere said.
			i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "client_disconnected ") })
			if i >= 2 && s.flowkit {
				slices.Sort(lines[i-2 : i])
				lines[i-2], lines[i-1], lines[i] = lines[i], lines[i-2], lines[i-1]
			} else if i >= 0 && i+3 <= len(lines) {
				slices.Sort(lines[i+1 : i+3])
			}
			return lines
		},
	},
	{
		script: "refuse", last: "client_disconnected", times: 3,
		traffic: func(s *liveSide) {
			c := s.dial()
			c.closed()
			c.Close()
			for i, other := range []string{"none", "OTHER"} {
				s.await("client_disconnected", i+1)
				c = s.dial()
				c.ask("GET", "/a", "X-Other: "+other+"\r\n", "")
				c.Close()
			}
		},
	},
	{
		script: "connect",
		traffic: func(s *liveSide) {
			for _, what := range []string{"refuse", "kill"} {
				c := s.dial()
				c.send("CONNECT ORIGIN HTTP/1.1\r\nHost: ORIGIN\r\nX-What: " + what + "\r\n\r\n")
				c.response("GET")
				c.Close()
			}
			for _, field := range []string{"", "X-What: OTHER\r\n"} {
				c := s.dial()
				c.tunnel(field)
				c.askIn("GET", "/a", "", "")
				c.askIn("GET", "/b", "", "")
				c.Close()
			}
		},
		known: func(_ *liveSide, lines []string) []string {
			// "They do not generate the usual HTTP handler events": newer mitmproxy keeps to it.
			return dropLines(lines, "^response CONNECT 403")
		},
	},
	{
		script: "tls", eager: true, serve: (*liveOrigin).https,
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.tunnel("")
			c.secure("origin.example", false, "http/1.1")
			c.askIn("GET", "/a", "", "")
			c.askIn("GET", "/b", "", "")
		},
		// flowkit asks the server when it has seen the client's name for it.
		known: func(_ *liveSide, lines []string) []string { return apart(lines, "^server: ") },
	},
	{
		name: "tls-refused", script: "tls", eager: true, serve: (*liveOrigin).https, last: "tls_failed_client",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.tunnel("")
			c.secure("origin.example", true, "http/1.1")
		},
		known: func(_ *liveSide, lines []string) []string { return apart(lines, "^server: ") },
	},
	{
		name: "tls-none", script: "tls", eager: true, serve: (*liveOrigin).babble, last: "error",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.tunnel("")
			c.secure("origin.example", false, "http/1.1")
			c.askIn("GET", "/a", "", "")
		},
		known: func(s *liveSide, lines []string) []string {
			lines = apart(lines, "^server: ")
			if i := len(lines) - 4; s.flowkit && i > 0 && strings.HasPrefix(lines[i], "server: server_connect ") {
				lines = lines[:i] // the server gets another chance when the client has asked for something
			}
			return lines
		},
	},
	{
		script: "ignore", serve: (*liveOrigin).https,
		traffic: func(s *liveSide) {
			for _, name := range []string{"private.example", "origin.example"} {
				c := s.dial()
				c.tunnel("")
				c.secure(name, false)
				c.askIn("GET", "/a", "", "")
				c.Close()
			}
		},
	},
	{
		script: "websocket",
		traffic: func(s *liveSide) {
			for i, end := range []string{"bye", "close"} {
				s.dial().webSocket(end)
				s.await("websocket_end", i+1)
			}
		},
	},
	{
		name: "websocket-inject", script: "websocket", last: "websocket_end",
		traffic: func(s *liveSide) { s.dial().webSocket("inject") },
		known: func(_ *liveSide, lines []string) []string {
			// What is injected to the server goes behind the message in hand, beside which the server's answer may come first.
			lines = sub(lines, `^(websocket_message .*) \d+$`, "$1")
			return apart(lines, "^websocket_message TEXT False b'echo inject'")
		},
	},
	{
		name: "websocket-gone", script: "websocket", last: "websocket_end",
		traffic: func(s *liveSide) { s.dial().webSocket("gone") },
		known: func(_ *liveSide, lines []string) []string {
			// mitmproxy tells the server 1000, all is well; flowkit lets it see what happened. An absent reason is an empty one.
			lines = dropLines(lines, `^origin < (frame 0x88|end of frames)`)
			return sub(lines, "^(websocket_end True 1006) None", "$1 ")
		},
	},
	{
		name: "websocket-break", script: "websocket", last: "websocket_end",
		traffic: func(s *liveSide) { s.dial().webSocket("break") },
		known: func(_ *liveSide, lines []string) []string {
			// What a proxy says of a side that broke the protocol are its own words.
			lines = sub(lines, `(frame 0x88 "\\x03\\xea).*`, "$1")
			return sub(lines, "^(websocket_end False 1002).*", "$1")
		},
	},
	{
		script: "tcp", eager: true, mode: "reverse:http://ORIGIN", args: []string{"--tcp-hosts", `^127\.0\.0\.1`}, serve: (*liveOrigin).echo, last: "tcp_e",
		traffic: func(s *liveSide) { s.dial().chat("hello\n", "tea please\n", "nothing\n", "end\n") },
	},
	{
		name: "tcp-inject", script: "tcp", eager: true, mode: "reverse:http://ORIGIN", args: []string{"--tcp-hosts", `^127\.0\.0\.1`}, serve: (*liveOrigin).echo, last: "tcp_e",
		traffic: func(s *liveSide) { s.dial().chat("inject\n", "nothing\n", "end\n") },
	},
	{
		name: "tcp-tunnel", script: "tcp", eager: true, args: []string{"--tcp-hosts", `^127\.0\.0\.1`}, serve: (*liveOrigin).echo, last: "tcp_e",
		traffic: func(s *liveSide) {
			c := s.dial()
			c.tunnel("")
			c.chat("hello\n", "tea please\n", "end\n")
		},
	},
	{
		name: "upgrade", script: "tcp", last: "tcp_e",
		traffic: func(s *liveSide) {
			c := s.dial()
			c.ask("GET", "/upgrade", "Connection: Upgrade\r\nUpgrade: tea\r\n", "")
			c.chat("hello\n", "tea please\n", "end\n")
		},
		// In mitmproxy what comes in one piece with the response is a bytearray.
		known: func(_ *liveSide, lines []string) []string { return sub(lines, `bytearray\((b'.*?')\)`, "$1") },
	},
	{script: "awaits", traffic: waiting},
	{
		script: "waits", last: "client_disconnected",
		traffic: func(s *liveSide) {
			c := s.dial()
			c.tunnel("")
			c.askIn("GET", "/chunked", "", "")
			c.Close()
		},
	},
	{script: "threads", traffic: waiting},
	{
		script: "chain", more: []string{"chain2"}, raises: true,
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/fine", "", "")
			c.ask("GET", "/raise", "", "")
		},
		known: func(s *liveSide, lines []string) []string {
			// A script that raises does not keep the next one from the event; in mitmproxy it does.
			if i := slices.Index(lines, "origin < GET /raise HTTP/1.1"); i >= 0 && s.flowkit {
				lines = slices.Delete(lines, i+3, i+4) // X-Second
				lines = dropLines(lines, "^second request(headers)? /raise|^second responseheaders /raise")
				lines = sub(lines, "^(first response /raise) 1$", "$1 None")
			}
			return lines
		},
	},
	{
		script: "nextlayer", eager: true, last: "tcp_end",
		traffic: func(s *liveSide) {
			for _, path := range []string{"/raw", "/ignored", "/http"} {
				c := s.dial()
				c.tunnel("")
				c.askIn("GET", path, "", "")
				c.Close()
				s.await("tcp_end", 1)
			}
		},
	},
	{
		script: "shutdown", last: "done", stops: true,
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/a", "", "")
			c.begin("GET", "http://ORIGIN/stop", "", "")
			c.closed()
		},
		known: func(_ *liveSide, lines []string) []string {
			// Whether the answer in hand still comes is a matter of luck in mitmproxy.
			return dropLines(lines, "^< closed behind")
		},
	},
	{
		script: "options",
		args: []string{
			"--set", "live_text=a text", "--set", "live_number=5", "--set", "live_switch=true", "--set", "live_list=x", "--set", "live_list=y",
			"--set", "live_maybe=4",
		},
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/a", "", "")
			c.ask("GET", "/set", "", "")
		},
	},
	{
		script: "filters",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/a", "X-Case: yes\r\n", "")
			c.ask("POST", "/b", "Content-Type: application/json\r\n", `{"tea": 1}`)
			c.ask("GET", "/missing", "", "")
			c.ask("POST", "/hangup", "", "body")
		},
	},
	{
		script: "objects",
		traffic: func(s *liveSide) {
			c := s.dial()
			defer c.Close()
			c.ask("GET", "/a", "", "")
			c.ask("POST", "/b", "", "body")
			c.begin("GET", "http://OTHER/c", "", "")
			c.response("GET")
		},
	},
	{
		script: "intercept", last: "response /kill",
		traffic: func(s *liveSide) {
			for i, path := range []string{"/resume", "/kill"} {
				c, d := s.dial(), s.dial()
				c.name, d.name = "1 ", "2 "
				c.begin("GET", "http://ORIGIN/hold", "", "")
				s.await("request /hold", i+1)
				d.ask("GET", path, "", "")
				if path == "/kill" {
					s.check(c.SetDeadline(time.Now().Add(500 * time.Millisecond)))
				}
				c.response("GET")
				c.Close()
				d.Close()
			}
		},
		known: func(_ *liveSide, lines []string) []string {
			// mitmproxy 8.1.1 leaves a flow hanging that is killed while it is held.
			return dropLines(lines, "^error /hold Connection killed.$")
		},
	},
	{script: "h2", eager: true, serve: (*liveOrigin).http2, traffic: func(s *liveSide) { s.http2(false, "/a?b=c", "/b") }},
	{
		name: "h2-answer", script: "answer", eager: true, serve: (*liveOrigin).http2,
		traffic: func(s *liveSide) { s.http2(false, "/early", "/text", "/empty", "/moved", "/real") },
	},
	{
		name: "h2-kill", script: "kill", eager: true, serve: (*liveOrigin).http2,
		traffic: func(s *liveSide) { s.http2(false, "/requestheaders", "/request", "/responseheaders", "/none") },
	},
	{
		name: "h2-stream", script: "stream", eager: true, serve: (*liveOrigin).http2,
		traffic: func(s *liveSide) {
			for _, path := range []string{"/true/a", "/upper/a", "/held/a"} {
				s.http2(false, path)
				s.await("response "+path, 1)
			}
		},
		known: func(_ *liveSide, lines []string) []string {
			return sub(lines, `^(/upper/a: .*)Content-Length:\[20\] `, "$1") // as in stream-length
		},
	},
	{
		name: "h2-reqstream", script: "reqstream", eager: true, serve: (*liveOrigin).http2,
		traffic: func(s *liveSide) { s.http2(false, "/held", "/true", "/held", "/upper") },
		known: func(_ *liveSide, lines []string) []string {
			// What a function of the script makes of a body may have another length.
			lines = sub(lines, `^(origin < .* /upper \[)"Content-Length: 9" `, "$1")
			return sub(lines, `^(origin < .*)"X-Late: 1" `, "$1") // as in reqstream
		},
	},
	{
		name: "h2-redirect", script: "redirect", eager: true, serve: (*liveOrigin).http2,
		traffic: func(s *liveSide) { s.http2(false, "/plain", "/path") },
	},
	{
		name: "h2-trailers", script: "trailers", eager: true, serve: (*liveOrigin).http2,
		traffic: func(s *liveSide) { s.http2(true, "/held", "/stream") },
	},
	{
		script: "leaving", last: "client_disconnected",
		traffic: func(s *liveSide) {
			c := s.dial()
			c.begin("GET", "http://ORIGIN/slow", "", "")
			s.await("request /slow", 1)
			time.Sleep(100 * time.Millisecond)
			c.Close()
			s.await("error", 1)
		},
	},
}

// http2 makes requests of that version, every second or all with a body.
func (s *liveSide) http2(trailers bool, paths ...string) {
	tr := &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: s.proxy}), ForceAttemptHTTP2: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "origin.example"},
	}
	defer tr.CloseIdleConnections()
	for i, path := range paths {
		body := ""
		if i%2 == 1 || trailers {
			body = "some body"
		}
		req, err := http.NewRequest(http.MethodPost, "https://"+s.origin.addr+path, strings.NewReader(body))
		s.check(err)
		req.Header.Set("X-A", "1")
		req.Header.Set("X-Other", s.other.addr)
		if trailers {
			req.Trailer, req.ContentLength = http.Header{"X-T": {"of the client"}}, -1
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		resp, err := tr.RoundTrip(req.WithContext(ctx))
		if err != nil {
			s.note("%s: no answer", path)
			continue
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		s.note("%s: %s %d %v %q %v %v", path, resp.Proto, resp.StatusCode, resp.Header, got, err, resp.Trailer)
	}
}

// waiting is a request that the script answers when it has seen the next.
func waiting(s *liveSide) {
	c, d := s.dial(), s.dial()
	defer c.Close()
	defer d.Close()
	c.name, d.name = "1 ", "2 "
	c.begin("GET", "http://ORIGIN/wait", "", "")
	s.await("request /wait", 1)
	d.ask("GET", "/free", "", "")
	c.response("GET")
}

// webSocket talks to the server of messages. end is how it ends: the server closes, the client does, the client goes
// without a word, or the server says what is no frame.
func (c *liveConn) webSocket(end string) {
	defer c.Close()
	c.ask("GET", "/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "")
	frame := func(first byte, text string, answers int) {
		sendFrame(c, first, text, true)
		for range answers {
			first, data, err := liveFrame(c.br)
			c.s.check(err)
			c.s.note("< frame %#x %q", first, data)
		}
	}
	frame(0x81, "plain", 1)
	frame(0x82, "\x00\xff", 1)
	frame(0x81, "edit", 1)
	frame(0x81, "text", 1)
	frame(0x81, "drop", 0)
	frame(0x89, "ping", 1)
	frame(0x01, "in two ", 0)
	frame(0x80, "parts", 1)
	switch end {
	case "bye":
		frame(0x81, "bye", 0)
	case "inject":
		frame(0x81, "inject", 3)
		frame(0x81, "bye", 0)
	case "close":
		frame(0x88, "\x03\xe8done", 0)
	case "break":
		frame(0x81, "break", 0)
	case "gone":
		return
	}
	for {
		first, data, err := liveFrame(c.br)
		if err != nil {
			c.s.note("< end of frames")
			return
		}
		c.s.note("< frame %#x %q", first, data)
		if first == 0x88 && end != "close" {
			sendFrame(c, first, string(data), true)
		}
	}
}

// chat talks to the server of lines.
func (c *liveConn) chat(lines ...string) {
	defer c.Close()
	line := func() {
		text, err := c.br.ReadString('\n')
		c.s.note("< %q %v", text, err)
	}
	line()
	for _, text := range lines {
		if text == "inject\n" {
			time.Sleep(50 * time.Millisecond) // until the last message is off the proxy's hands: it has its turn before the injected one
		}
		c.send(text)
		if text != "nothing\n" {
			line()
		} else {
			c.s.await("True b'nothing", 1)
		}
		if text == "inject\n" {
			line()
		}
	}
}
