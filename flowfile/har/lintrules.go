package har

// Members that hold text, by what is done with them.
const (
	// requiredTexts must be there, says the schema; nobody shows them.
	requiredTexts = "log.creator.name log.creator.version log.browser.name log.browser.version log.pages[].title request.httpVersion " +
		"request.cookies[].value request.queryString[].name request.queryString[].value " +
		"response.cookies[].name response.cookies[].value response.redirectURL"
	// shownTexts must be there, and are shown.
	shownTexts = "request.headers[].value response.headers[].name response.headers[].value " +
		"response.statusText response.httpVersion response.content.mimeType"
	// otherTexts may be missing, but not null.
	otherTexts = "log.comment log.creator.comment log.browser.comment log.pages[].comment pageref connection comment " +
		"request.comment request.cookies[].path request.cookies[].domain request.cookies[].comment request.headers[].comment " +
		"request.queryString[].comment request.postData.comment " +
		"response.comment response.cookies[].path response.cookies[].domain response.cookies[].comment response.headers[].comment " +
		"response.content.text response.content.encoding response.content.comment timings.comment cache.comment"
	// sentTexts are looked at by har-to-k6, too, which makes a script of requests.
	sentTexts = "log.version log.comment log.creator.name log.creator.version log.creator.comment " +
		"log.browser.name log.browser.version log.browser.comment log.pages[].title log.pages[].comment pageref comment " +
		"request.method request.url request.comment request.postData.mimeType request.postData.text request.postData.comment " +
		"request.headers[].name request.headers[].value request.headers[].comment " +
		"request.queryString[].name request.queryString[].value request.queryString[].comment " +
		"request.cookies[].name request.cookies[].value request.cookies[].path request.cookies[].domain request.cookies[].comment"
	// keptTexts are not.
	keptTexts = "connection request.httpVersion response.statusText response.httpVersion response.redirectURL response.comment " +
		"response.headers[].name response.headers[].value response.headers[].comment response.cookies[].name response.cookies[].value " +
		"response.cookies[].path response.cookies[].domain response.cookies[].comment " +
		"response.content.mimeType response.content.text response.content.encoding response.content.comment timings.comment cache.comment"
)

// Members that hold numbers.
const (
	wholeNumbers    = "request.headersSize request.bodySize response.status response.headersSize response.bodySize response.content.size"
	requiredNumbers = wholeNumbers + " time timings.send timings.wait timings.receive"
	otherNumbers    = "timings.blocked timings.dns timings.connect timings.ssl response.content.compression " +
		"log.pages[].pageTimings.onContentLoad log.pages[].pageTimings.onLoad"
	chromesNumbers = "response._transferSize response._serviceWorkerRouterRuleIdMatched timings._blocked_queueing timings._blocked_proxy " +
		"timings._workerStart timings._workerReady timings._workerFetchStart timings._workerRespondWithSettled " +
		"timings._workerRouterEvaluationStart timings._workerCacheLookupStart _initiator.lineNumber"
)

// rules are what importers ask for. Chrome is what models/har of DevTools does, Firefox
// har-importer.js of the network monitor, Safari its Web Inspector up to 2026; har-validator
// is har-schema 2.0.0, k6 har-to-k6 0.14, Insomnia its importer of HAR 1.2.
var rules = []Rule{
	// The file.
	{
		ID: "json", Rejects: AllImporters, Text: "the file must be JSON as JSON.parse takes it: one value, no comma too many, no NaN, no end before the end",
		Fix: "write it with a program that knows JSON", check: never,
	},
	{
		ID: "bom", Rejects: Insomnia, Text: "there must be no byte order mark: JSON.parse takes none",
		Fix: "write UTF-8 without it", check: never,
	},
	{
		ID: "log", Rejects: AllImporters, at: "log", check: wants(object), Text: "the file must be an object with log, an object",
		Fix: `wrap it: {"log": …}`,
	},
	{
		ID: "log-version", Rejects: Safari | Validator, at: "log.version", check: wants(text), Text: "log.version must be a text",
		Fix: `write "version": "1.2"`,
	},
	{
		ID: "creator", Rejects: Chrome | Validator, at: "log.creator", check: wants(object), Text: "log.creator must be an object",
		Fix: `write {"name": …, "version": …}`,
	},
	{
		ID: "entries", Rejects: Chrome | Firefox | Validator | Insomnia, at: "log.entries", check: wants(array), Text: "log.entries must be a list",
		Fix: "write [] if there is none",
	},
	{
		ID: "entries-type", Rejects: K6, at: "log.entries", check: truthy(wants(array)), Text: "log.entries must be a list, if it is there",
		Fix: "write [] if there is none",
	},
	{
		ID: "pages", Rejects: Firefox, at: "log.pages", check: missing, Text: "log.pages must be there: Firefox goes through it without asking",
		Fix: "write a page, and its id as pageref of entries",
	},
	{
		ID: "pages-type", Rejects: Firefox | Validator | K6, at: "log.pages", check: truthy(wants(array)), Text: "log.pages must be a list",
		Fix: "write a list of pages",
	},
	{
		ID: "pages-null", Rejects: Firefox | Validator, at: "log.pages", check: falsyList, Text: "log.pages must be a list, not null",
		Fix: "write a list of pages",
	},
	{
		ID: "page-first", Rejects: Safari, at: "log.pages", check: firstPage, Text: "the first page must say startedDateTime: Safari wants one until its change of 2026",
		Fix: "write a page with startedDateTime",
	},
	{
		ID: "page", Rejects: Chrome | Validator | K6, at: "log.pages[]", check: wants(object), Text: "a page must be an object",
		Fix: "take it out",
	},
	{
		ID: "page-id", Rejects: Validator | K6, at: "log.pages[].id", check: wants(text), Text: "the id of a page must be a text",
		Fix: "give each page an id",
	},
	{
		ID: "page-id-empty", Rejects: K6, at: "log.pages[].id", check: isEmpty, Text: "the id of a page must not be empty",
		Fix: "give each page an id",
	},
	{
		ID: "page-id-twice", Rejects: K6, at: "log.pages", check: samePages, Text: "ids of pages must differ",
		Fix: "rename one, and the pageref of its entries",
	},
	{
		ID: "page-timings", Rejects: Chrome | Validator, at: "log.pages[].pageTimings", check: wants(object), Text: "pageTimings must be an object",
		Fix: "write {} if nothing is known",
	},
	{
		ID: "page-date", Rejects: Chrome | Validator, at: "log.pages[].startedDateTime", check: noDate, Text: "startedDateTime of a page must be a date",
		Fix: "write ISO 8601: 2026-01-02T03:04:05.678Z",
	},

	// Objects and lists.
	{
		ID: "entry", Rejects: AllImporters &^ Safari, at: ".", check: wants(object), Text: "an entry must be an object",
		Fix: "take it out",
	},
	{
		ID: "request", Rejects: AllImporters &^ Safari, at: "request", check: wants(object), Text: "an entry must have a request, an object",
		Fix: "take the entry out if the request is not known",
	},
	{
		ID: "response", Rejects: Chrome | Firefox | Validator, at: "response", check: wants(object), Text: "an entry must have a response, an object",
		Fix: `write one with status 0 and "_error" if there was none`,
	},
	{
		ID: "content", Rejects: Chrome | Firefox | Validator, at: "response.content", check: wants(object), Text: "a response must have content, an object",
		Fix: `write {"size": 0, "mimeType": "x-unknown"} if there was none`,
	},
	{
		ID: "cache", Rejects: Firefox | Validator, at: "cache", check: missing, Text: "an entry must have cache: Firefox looks into it without asking",
		Fix: "write {}",
	},
	{
		ID: "cache-null", Rejects: Firefox, at: "cache", check: isNull, Text: "cache must not be null",
		Fix: "write {}",
	},
	{
		ID: "cache-entry", Rejects: Validator, at: "cache.beforeRequest cache.afterRequest", check: cached,
		Text: "what was in the cache must be null, or say lastAccess, eTag and hitCount",
		Fix:  "leave it out",
	},
	{
		ID: "timings", Rejects: Chrome | Firefox | Validator, at: "timings", check: missing, Text: "an entry must have timings",
		Fix: `write {"send": 0, "wait": …, "receive": 0}`,
	},
	{
		ID: "timings-type", Rejects: Chrome, at: "timings", check: present(wants(object)), Text: "timings must be an object",
		Fix: `write {"send": 0, "wait": …, "receive": 0}`,
	},
	{
		ID: "list-missing", Rejects: Validator, at: "request.cookies request.headers request.queryString response.cookies response.headers",
		check: absentOrNull, Text: "cookies, headers and queryString must be there",
		Fix: "write [] if there is none",
	},
	{
		ID: "list-type", Rejects: Validator | K6, Misreads: Chrome, at: "request.cookies request.headers request.queryString",
		check: present(truthy(wants(array))), Text: "cookies, headers and queryString must be lists",
		Fix: `write a list of {"name": …, "value": …}`,
	},
	{
		ID: "response-list-type", Rejects: Validator, Misreads: Chrome, at: "response.cookies response.headers",
		check: present(truthy(wants(array))), Text: "cookies and headers must be lists",
		Fix: `write a list of {"name": …, "value": …}`,
	},
	{
		ID: "item", Rejects: Chrome | Validator | K6, at: "request.cookies[] request.headers[] request.queryString[]", check: wants(object),
		Text: "a cookie, a header and a parameter must be an object",
		Fix:  `write {"name": …, "value": …}`,
	},
	{
		ID: "response-item", Rejects: Chrome | Validator, at: "response.cookies[] response.headers[]", check: wants(object),
		Text: "a cookie and a header must be an object",
		Fix:  `write {"name": …, "value": …}`,
	},
	{
		ID: "object-type", Rejects: Chrome | Validator | K6, at: "log.browser request.postData", check: present(truthy(wants(object))),
		Text: "browser and postData must be objects",
		Fix:  "leave it out",
	},
	{
		ID: "null", Rejects: Validator, at: "log.browser request.postData request.postData.params request.cookies[].httpOnly request.cookies[].secure", check: isNull,
		Text: "what is not there must be left out, not null",
		Fix:  "leave it out",
	},

	// Texts.
	{
		ID: "method", Rejects: Validator | K6, Misreads: Chrome, at: "request.method", check: absentOrNull, Text: "a request must have a method",
		Fix: "write it",
	},
	{
		ID: "method-empty", Rejects: K6, at: "request.method", check: isEmpty, Text: "the method of a request must not be empty",
		Fix: "write it",
	},
	{
		ID: "url", Rejects: Validator | K6, at: "request.url", check: noURL, Text: "the URL of a request must be absolute",
		Fix: "write it with scheme and host",
	},
	{
		ID: "url-scheme", Rejects: K6, at: "request.url", check: noSlashes, Text: "a URL must have :// behind its scheme, which those of data: have not",
		Fix: "leave the entry out; flowkit keeps it, because it was recorded",
	},
	{
		ID: "url-host", Rejects: K6, at: "request.url", check: noHostURL, Text: "the host and the port of a URL must be such as browsers take",
		Fix: "write " + noHost + " if it is not known",
	},
	{
		ID: "url-space", Rejects: Validator, at: "request.url", check: spacedURL, Text: "there must be no white space in a URL",
		Fix: "percent-encode it",
	},
	{
		ID: "header-name", Rejects: Validator | K6 | Insomnia, at: "request.headers[].name", check: absentOrNull, Text: "a header must have a name",
		Fix: "take it out",
	},
	{
		ID: "header-name-empty", Rejects: K6, at: "request.headers[].name", check: isEmpty, Text: "the name of a header must not be empty",
		Fix: "take it out",
	},
	{
		ID: "header-pseudo", Misreads: K6 | Insomnia, at: "request.headers[].name", check: pseudo, Text: "pseudo-headers of HTTP/2 must not be among headers: they would be sent",
		Fix: "take them out; method, url and httpVersion say the same",
	},
	{
		ID: "content-type-twice", Rejects: K6, at: "request", check: twoTypes, Text: "there must be one Content-Type header at most",
		Fix: "take out all but one; flowkit keeps them, because they were sent",
	},
	{
		ID: "cookie-name", Rejects: Validator | K6, at: "request.cookies[].name", check: absentOrNull, Text: "a cookie must have a name",
		Fix: "take it out",
	},
	{
		ID: "cookie-name-empty", Rejects: K6, at: "request.cookies[].name", check: isEmpty, Text: "the name of a cookie must not be empty",
		Fix: "take it out; the Cookie header has it",
	},
	{
		ID: "text-missing", Rejects: Validator, at: requiredTexts, check: missing, Text: "texts that must be there: names, versions, values, httpVersion, redirectURL",
		Fix: `write "" if it is not known`,
	},
	{
		ID: "text-undefined", Rejects: Validator, Misreads: Chrome, at: shownTexts, check: absentOrNull,
		Text: "texts that Chrome shows must be there: it shows undefined, or null, in their place",
		Fix:  `write "" if it is not known, x-unknown for mimeType`,
	},
	{
		ID: "text-null", Rejects: Validator, at: requiredTexts + " " + otherTexts, check: isNull, Text: "texts must not be null",
		Fix: `leave it out, or write ""`,
	},
	{
		ID: "text-false", Rejects: Validator, at: sentTexts, check: falsyText, Text: "texts must be texts, not 0 or false",
		Fix: "write it in quotes",
	},
	{
		ID: "text-type", Rejects: Validator | K6, at: sentTexts, check: truthy(notText), Text: "texts must be texts: of the log, its pages and requests",
		Fix: "write it in quotes",
	},
	{
		ID: "response-text-type", Rejects: Validator, at: keptTexts, check: notText, Text: "texts must be texts: of responses",
		Fix: "write it in quotes",
	},
	{
		ID: "server-ip", Rejects: Validator, at: "serverIPAddress", check: noIP, Text: "serverIPAddress must be an IP address: no name, no brackets, no port, not empty",
		Fix: "write the bare address, or leave it out",
	},
	{
		ID: "connection", Misreads: Firefox, OnRequest: true, at: "connection", check: noPort, Text: "connection must be a port: Firefox shows it as such",
		Fix: "write the server's port, and the id as _connectionId; Safari shows connection as an id",
	},
	{
		ID: "cookie-flag", Rejects: Validator | K6, at: "request.cookies[].httpOnly request.cookies[].secure", check: noFlag, Text: "httpOnly and secure must be true or false",
		Fix: "leave it out",
	},
	{
		ID: "cookie-flag-type", Rejects: Validator, at: "response.cookies[].httpOnly response.cookies[].secure", check: present(wants(boolean)),
		Text: "httpOnly and secure must be true or false",
		Fix:  "leave it out",
	},

	// Dates.
	{
		ID: "date", Rejects: Chrome | Validator, Misreads: Firefox, at: "startedDateTime", check: noDate, Text: "startedDateTime must be a date: Chrome throws",
		Fix: "write ISO 8601: 2026-01-02T03:04:05.678Z",
	},
	{
		ID: "date-form", Rejects: Validator, at: "startedDateTime log.pages[].startedDateTime", check: noISODate, Text: "dates must be ISO 8601, with seconds and a zone",
		Fix: "write 2026-01-02T03:04:05.678Z",
	},
	{
		ID: "cookie-expires", Rejects: Chrome | Validator, at: "request.cookies[].expires response.cookies[].expires", check: truthy(noDate),
		Text: "expires of a cookie must be a date: Chrome throws",
		Fix:  "leave it out",
	},
	{
		ID: "cookie-expires-form", Rejects: Validator, at: "request.cookies[].expires response.cookies[].expires", check: noCookieDate,
		Text: "expires of a cookie must be ISO 8601 with a zone, or null",
		Fix:  "write 2026-01-02T03:04:05.678Z, or leave it out",
	},

	// Numbers.
	{
		ID: "number", Rejects: Chrome | Validator, at: requiredNumbers, check: noNumber,
		Text: "numbers that must be there: time, status, sizes, send, wait and receive; Chrome throws",
		Fix:  "write 0 for status and times, -1 for sizes that are not known",
	},
	{
		ID: "number-type", Rejects: Validator, at: requiredNumbers, check: quoted, Text: "numbers must be numbers, not texts or null",
		Fix: "write the number, without quotes; 0 or -1 if it is not known",
	},
	{
		ID: "number-optional", Rejects: Chrome | Validator, at: otherNumbers, check: present(noNumber), Text: "numbers that may be missing must be numbers; Chrome throws",
		Fix: "leave it out",
	},
	{
		ID: "number-optional-type", Rejects: Validator, at: otherNumbers, check: quoted, Text: "numbers that may be missing must be numbers, not texts or null",
		Fix: "leave it out, or write it without quotes",
	},
	{
		ID: "number-chrome", Rejects: Chrome, at: chromesNumbers, check: present(noNumber), Text: "Chrome's own numbers must be numbers; it throws",
		Fix: "leave it out",
	},
	{
		ID: "integer", Rejects: Validator, at: wholeNumbers + " response.content.compression", check: fraction, Text: "status and sizes must be whole numbers",
		Fix: "round it",
	},
	{
		ID: "time-negative", Misreads: Firefox, at: "timings.blocked timings.dns timings.connect timings.ssl timings.send timings.wait timings.receive", check: negative,
		Text: "times must not be negative but for -1, which is unknown: Firefox takes them off the sum",
		Fix:  "write -1 if it is not known, and 0 for send, wait and receive",
	},
	{
		ID: "ssl-in-connect", Misreads: Chrome, at: "timings", check: sslAlone, Text: "ssl must be within connect: Chrome takes it off connect",
		Fix: "add ssl to connect",
	},

	// Bodies.
	{
		ID: "post-text", Misreads: Chrome, at: "request.postData.text", check: absentOrNull, Text: "postData must have text, also if it has params: Chrome shows undefined",
		Fix: "write what was sent as text",
	},
	{
		ID: "post-mime", Rejects: Validator | K6, at: "request.postData.mimeType", check: absentOrNull, Text: "postData must have mimeType",
		Fix: "write application/octet-stream if it is not known",
	},
	{
		ID: "post-params", Rejects: Validator | K6, at: "request.postData.params", check: present(truthy(wants(array))), Text: "params must be a list",
		Fix: "leave it out",
	},
	{
		ID: "post-param", Rejects: Chrome | K6, at: "request.postData.params[]", check: wants(object), Text: "a parameter must be an object",
		Fix: "take it out",
	},
	{
		ID: "post-param-text", Rejects: K6, at: "request.postData", check: multipartTexts, Text: "texts of a multipart parameter must be texts",
		Fix: "write it in quotes",
	},
	{
		ID: "post-param-value", Rejects: K6, at: "request.postData", check: multipartValues, Text: "a multipart parameter must have a value, also if it is a file",
		Fix: "write what was sent, or \"\"",
	},
	{
		ID: "post-param-undefined", Misreads: K6, at: "request.postData", check: formValues, Text: "a parameter must have a value: k6 sends undefined, or null",
		Fix: `write ""`,
	},
	{
		ID: "post-param-percent", Rejects: K6, at: "request.postData", check: formPercents,
		Text: "percent signs of urlencoded params must be of percent-encoding: k6 decodes params, whoever did it before",
		Fix:  "leave params out, and write text",
	},
	{
		ID: "post-boundary", Rejects: K6, at: "request", check: noBoundary,
		Text: "multipart params must have a header, spelt Content-Type or content-type, that says multipart/form-data: k6 takes the boundary from there",
		Fix:  "leave params out, and write text",
	},
	{
		ID: "post-params-mime", Rejects: K6, at: "request.postData", check: paramsOfWhat,
		Text: "params are for application/x-www-form-urlencoded and multipart/form-data alone, spelt like that",
		Fix:  "leave params out, and write text",
	},
	{
		ID: "content-encoding", Misreads: Chrome, at: "response.content.encoding", check: noBase64, Text: "encoding must be base64, spelt like that: Chrome shows what is encoded otherwise",
		Fix: `write "base64", or the text without encoding`,
	},
	{
		ID: "initiator", Rejects: Chrome, at: "_initiator", check: isNull, Text: "_initiator must not be null: Chrome throws",
		Fix: "leave it out",
	},

	// WebSockets.
	{
		ID: "ws-message", Misreads: Chrome, at: messagesKey + "[]", check: noMessage,
		Text: "a WebSocket message must have time, opcode, data and a type of send, receive or error: Chrome leaves it out",
		Fix:  "write all four",
	},
	{
		ID: "ws-number", Rejects: Chrome, at: messagesKey + "[]", check: badMessage, Text: "time and opcode of a WebSocket message must be numbers: Chrome throws",
		Fix: "write numbers",
	},
	{
		ID: "ws-type", Misreads: Chrome, at: ".", check: noSocket, Text: `_resourceType must be websocket where there are _webSocketMessages: Chrome shows only the handshake`,
		Fix: `write "_resourceType": "websocket"`,
	},

	// What is in the traffic, or costs others something.
	{
		ID: "cookies-twice", Misreads: Insomnia, OnRequest: true, at: "request", check: cookiesTwice, Text: "cookies must not be both in the Cookie header and in cookies: Insomnia sends them twice",
		Fix: "empty cookies; Firefox shows them from there",
	},
	{
		ID: "get-body", Misreads: K6, OnRequest: true, at: "request", check: getBody, Text: "a GET request should have no postData: k6 warns",
		Fix: "nothing, if it was sent",
	},
	{
		ID: "post-type", Misreads: K6, OnRequest: true, at: "request", check: otherType, Text: "mimeType of postData should be that of the Content-Type header: k6 warns",
		Fix: "write the same in both",
	},
	{
		ID: "name-empty", Misreads: K6, OnRequest: true, at: "request.queryString[].name request.postData.params[].name", check: emptyOrNone,
		Text: "a parameter should have a name: k6 leaves it out",
		Fix:  "nothing, if it was sent",
	},
	{
		ID: "post-file", Misreads: Insomnia, OnRequest: true, at: "request.postData.params[].fileName", check: some, Text: "a parameter should be no file: Insomnia looks for it on its own disk",
		Fix: "leave params out if text says all",
	},
}

// Rules returns what Lint looks for.
func Rules() []Rule { return rules }
