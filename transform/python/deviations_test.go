package python_test

import "regexp"

// deviation is a difference that is meant, and why.
type deviation struct {
	match *regexp.Regexp // of the message about it
	why   string
}

func dev(match, why string) deviation {
	return deviation{regexp.MustCompile(`(?s)` + match), why}
}

// Where mitmproxy changed after 8.1.1, flowkit does as the newest version does.
const (
	newerCharset = "newer mitmproxy: HTML, XML, JavaScript and CSS are UTF-8 if nothing says otherwise, a byte order mark and an XML declaration count, and what was guessed is kept when text is set"
	newerGzip    = "newer mitmproxy: gzip is read by zlib, which takes what ends early, and has other words for what is wrong"
	newerZstd    = "newer mitmproxy: zstd frames without a size can be read; other words for what is wrong"
	newerDecode  = "newer mitmproxy: decode does nothing without a content-encoding"
	newerEncode  = "newer mitmproxy: encode sets content-encoding before content-length"
	newerCookie  = "newer mitmproxy: attributes of cookies without a value are None, and written without ="
	newerPort    = "newer mitmproxy: the Host header and the authority follow host and port, with the port unless it is the default one"
	newerHost    = "newer mitmproxy: HTTP/3 requests have a host_header"
	newerFilter  = "newer mitmproxy: filters on headers, comments, hosts and types ignore case, and all filters return a bool"
	newerDNS     = "newer mitmproxy: content of a DNS message is the packed message, HTTPS records are shown decoded, and messages are DNSMessage"
	newerHead    = "newer mitmproxy: exports keep Content-Length for HEAD, and set it for an empty body"
	newerBinary  = "newer mitmproxy: text that is valid UTF-8 is not binary"
	newerFloat   = "newer mitmproxy: states have the timestamps as they were given, 8.1.1 made some of them floats; there are UDP flows"
	newerVia     = "newer mitmproxy: via is a ServerSpec"
	newerNames   = "newer mitmproxy: version, flow format and names"
)

// Where flowkit differs from every mitmproxy.
const (
	checked   = "flowkit refuses at once what mitmproxy stores, and stumbles over later or saves"
	otherText = "the same kind of error in other words"
	times     = "flowkit keeps times in nanoseconds, as one type: no ints, no more digits, none that are out of range; a request has a start"
	backup    = "flow.backup() is not stored, and a backup in a dump is kept but not seen"
	absent    = "flowkit's model does not tell an absent close reason from an empty one"
	noALPN    = "flowkit's model does not tell ALPN that was not negotiated from an empty one"
	viaTuple  = "via is a tuple"
	authority = "the URL of a CONNECT request has no path; mitmproxy takes the port for one"
	exitCode  = "the exit code is that of a script that failed: 5"
	saved     = "mitmproxy saves a flow before the last events of it; flowkit writes what it is in the end"
)

// deviations are the differences between mitmdump 8.1.1 and flowkit that are meant, by
// script. One that does not occur any more fails the test.
var deviations = map[string][]deviation{
	"get_content": {
		dev(`want #(25|39|49|50|51|53|55|56|57) (text=|get_text|json)`, newerCharset),
		dev(`want #(28|29) `, newerGzip),
	},
	"get_response": {
		dev(`want #(25|39|49|50|51|53|55|56|57) text=`, newerCharset),
		dev(`want #(28|29) `, newerGzip),
		dev(`want #76 cookies=`, newerCookie),
		dev(`#121 .*timestamp_start=0\.3\b`, times),
	},
	"get_request": {dev(`want #8 host_header=None\n.*got #8 host_header='shop.example'`, newerHost), dev(`timestamp_start=1600000000\.0`, times)},
	"get_query":   {dev(`#76 |HttpOnly`, newerCookie), dev(`#104 path`, authority)},
	"get_dns": {
		dev(`#\d+ content=`, newerDNS),
		dev(`'0x00010000010003026832'|h2' 'shop\.example`, newerDNS),
	},
	"get_connections": {
		dev(`want #105 via=\['http`, newerVia), dev(`want #105 True`, viaTuple),
		dev(`want #122 (alpn|True)`, noALPN),
	},
	"conditional": {dev(`HttpOnly=; Secure=.*HttpOnly; Secure`, newerCookie)},
	"json_edit":   {dev(`#55`, newerCharset)},
	"threads":     {dev(`stdout line 2`, newerCharset)},
	"edit_text":   {dev(`#(13|19|23|24|25|39|46|47|48|49|50|51|52|53|55|56|57|113) `, newerCharset), dev(`#28 `, newerGzip)},
	"edit_content": {
		dev(`#(13|24|25|39|46|47|48|49|50|51|52|53|55|56|57|113) |Caf\\\\xc3|ufeff`, newerCharset),
		dev(`#(19|20|21|27|28|29|33) |gzip`, newerGzip),
	},
	"codings": {
		dev(`decode \(\(\(.*content-length', b'0'.*got`, newerDecode),
		dev(`#5 decode`, newerDecode),
		dev(`headers\[\d+\]\[\d\]: want "(content-length|content-encoding|\d+|identity)"`, newerEncode),
		dev(`#(28|29) `, newerGzip),
	},
	"encodings": {
		dev(`(?i)gzip`, newerGzip),
		dev(`(?i)zstd|must pass an object with a read`, newerZstd),
	},
	"edit_request": {
		dev(`'(host|port|url|authority|host_header)\b|\b(8081|443)' \[|Host', b'|headers\[\d+\]\[1\]: want "[\w.:\[\]-]*",, got "[\w.:\[\]-]*",$`, newerPort),
		dev(`(path|scheme|http_version|authority) = None`, checked),
		dev(`\.request\.(path|scheme|http_version|authority|port): want None`, checked),
		dev(`\.timestamp_(start|end): want`, times),
	},
	"edit_response": {dev(`reason = None.*must be str or bytes, not None`, checked), dev(`(?i)gzip`, newerGzip), dev(`#121 .*0\.30000|timestamp_start: want "1"#, got "1\.0"`, times)},
	"edit_headers": {
		dev(`h\["x"\] = None.*Expected str or bytes, but got NoneType`, checked),
		dev(`headers: want .*"x",, None\]`, checked),
	},
	"edit_cookies": {
		dev(`CookieAttrs|HttpOnly|; Secure|want #76 `, newerCookie),
		dev(`m\.cookies = {"d": "1"}|"d=1"`, "flowkit takes a dict; in mitmproxy keys of one letter fail"),
	},
	"edit_query": {dev(`#104 `, authority)},
	"edit_forms": {dev(`_form\.add\(b"more"|\.request\.(content|headers)`, "mitmproxy cannot add to a multipart form")},
	"get_forms":  {dev(`multipart_form \[.*multipart_form \(`, "fields of a multipart form are a tuple, as those of every other view")},
	"make_response": {
		dev(`status_code, but got`, otherText),
		dev(`Content-Encoding', b'deflate'`, "another level of compression, as in newer mitmproxy"),
	},
	"make_request": {dev(`port, but got`, otherText)},
	"noop": {
		dev(`headers(\[\d+\]\[1\])?: want|authority: want`, newerPort),
	},
	"filters": {
		dev(`case of headers`, newerFilter),
		dev(`want #(21|68|94|109|115) (requestheaders|response) `, newerFilter),
	},
	"text_tools": {dev(`True.*False`, newerBinary), dev(`not supported between instances`, otherText), dev(`x1f`, newerGzip)},
	"export_addon": {
		dev(`#5 .*Content-Length`, newerHead), dev(`#28 `, newerGzip),
		dev(`rl_command|httpie_command|raw|boundary="----a b"`, newerHead),
		dev(`content-length|/ws`, newerHead),
	},
	"body_replace":  {dev(`exceptions`, newerGzip)},
	"get_flow":      {dev(`want #120 True`, backup), dev(`timestamp_start=1600000000\.0`, times)},
	"get_websocket": {dev(`#131 .*close_reason=|#131 `, absent)},
	"ws_close":      {dev(`close_reason: want None, got ""`, absent)},
	"conn_edit":     {dev(`alpn: want None, got ""`, noALPN)},
	"flow_fields":   {dev(`#120 `, backup)},
	"read_while":    {dev(`timestamp_start: want "0\.30000`, times)},
	"retained":      {dev(`#121 `, times), dev(`#131 `, absent)},
	"backups":       {dev(`\.backup: want|#120 `, backup)},
	"get_state": {
		dev(`#105 `, viaTuple), dev(`#120 `, backup), dev(`#121 `, times), dev(`#122 `, noALPN), dev(`#131 `, absent),
	},
	"io_write": {
		dev(`\.backup: want`, backup), dev(`timestamp_start: want`, times), dev(`alpn: want "",, got None`, noALPN), dev(`close_reason: want None`, absent),
	},
	"exit": {dev(`exit code: want 3, got 5`, exitCode)},
	"views": {
		dev(`line 2:`, "there is no view of WBXML, and that of gRPC is not in the list"),
		dev(`want #(45|46|47|50) (auto|urlencoded|nosuch) `, "the text falls back to Raw with another account of what went wrong"),
	},
	"update_hook": {dev(`\.metadata\.(last|updates)`, saved)},
	"two_scripts": {
		dev(`X-After`, "a script that raises does not keep the next one from the event; in mitmproxy it does"),
	},
	"late_changes": {dev(`changed in done`, "flowkit writes flows as they come; done is too late for changes")},
	"errors_kinds": {dev(`StopIteration`, "mitmproxy loses StopIteration")},
	"exit_text":    {dev(`#11 .*mitmdump has not got it`, "the flow in hand is written, whichever hook ended the run"), dev(`exit code: want 1, got 5`, exitCode)},
	"load_option": {
		dev(`mitmdump has 0 for a script|mitmdump reports no error`, "mitmproxy 8 drops an option that it cannot parse"),
	},
	"version_names": {dev(`line (1|9|11|1\d|2\d|87|89|90):`, newerNames)},
	"dns_pack":      {dev(`DNSMessage`, newerDNS), dev(`an illegal`, otherText), dev(`loop' \d+|\('[\w.]*', \d+\)`, "offsets count from where unpacking began")},
	"test_helpers": {
		dev(`(additionals|websocket \[|\[\('comment').*(additionals|websocket \[|\[\('comment')|'timestamp(_end)?', \d+(\.0)?\)|line (39|49|73|82|83|89|90|91): (has|misses) `, newerFloat),
	},
	"io_read": {
		dev(`'var |DNSMessage`, newerCharset),
		dev(`FlowReadException 'Invalid data format|not a tnetstring`, "dumps with nonsense in them are refused; in mitmproxy a negative length goes through"),
	},
	"live_commands": {
		dev(`line 4:`, "ctx.master.view and ctx.proxy of old scripts are there, and say what they lack when they are used"),
	},
	"commands_stock": {
		dev(`Content-Length: 1234`, newerHead),
		dev(`\.backup: want`, backup),
		dev(`stdout line 1:.*raw_response'\] (True|False) 0 0`, "readfile.reading is true as long as flows are read, which running is a part of"),
		dev(`want #\d+ \[\[`, "cut shows messages of a WebSocket"),
		dev(`request\.content: want "",, got "x|headers\[\d+\]\[1\]: want "0",, got "8"|request\.headers|#131 .*response\.headers`, "flow.encode.toggle of an empty body stays encoded"),
	},
	"options_stock": {
		dev(`has (dns_name_servers|dns_use_hosts_file|hardump|http3|http_connect_send_host_header|request_client_cert|server_replay_extra|server_replay_reuse|show_ignored_hosts|store_streamed_bodies|strip_ech|udp_hosts) `, newerNames),
	},
	"wrong_types": {
		dev(`#(4|8|12|16|20|24|28|36|40|44|48|52|56|60|64|68|72|76|80|84|88|92|108|109|146) |exceptions.*(Port must be an integer|wrong_types.py: WrongType)|5: flowkit has not got it`, checked),
	},
	"module_facts": {
		dev(`line 1:.*__cached__|line 4:.*True True`, "details of the import system; the module is in sys.modules, as dataclasses and pickle want it"),
	},
	"net_http": {
		dev(`(secure|HttpOnly|Secure|'c', (''|None))`, newerCookie),
		dev(`cast to integer|'http://a\.\.b/'|Invalid authority|OrderedDict|boundary found|codec can't decode byte 0xff`, otherText),
	},
}
