package main

// scripts are what the pairs run: the same text in mitmdump and in flowkit.
var scripts = map[string]string{
	"header.star": `def response(flow):
    flow.response.headers["newheader"] = "foo"
`,
	"header.py": `def response(flow):
    flow.response.headers["newheader"] = "foo"
`,
	"class.py": `import re
from mitmproxy import flowfilter


class Counter:
    def __init__(self):
        self.filter = flowfilter.parse("~m GET & ~c 200 & ~u /")
        self.word = re.compile(r"/([a-z]+)/")
        self.count = {}

    def response(self, flow):
        if flowfilter.match(self.filter, flow):
            found = self.word.search(flow.request.path)
            key = found.group(1) if found else ""
            self.count[key] = self.count.get(key, 0) + 1

    def done(self):
        print(sorted(self.count.items()))


addons = [Counter()]
`,
	"replace.py": `def response(flow):
    if flow.response.content:
        flow.response.content = flow.response.content.replace(b"e", b"E")
`,
	"jsonbody.py": `import json


def response(flow):
    if "json" in flow.response.headers.get("content-type", ""):
        flow.response.text = json.dumps(json.loads(flow.response.text))
`,
	"async.py": `import asyncio


async def request(flow):
    await asyncio.sleep(0.01)
    flow.request.headers["x-async"] = "1"
`,
}

// debian is the interpreter that Debian's mitmproxy runs in.
const debian = "/usr/bin/python3"

// pythonBudgets are those of unmodified addons, against mitmdump.
func pythonBudgets(flowkit string) []pair {
	script := func(title, name, in string, figures []figure, more ...string) pair {
		b := []string{flowkit, "transform", "-q", "--python", debian, "-s", name, "-r", in, "-w", "flowkit.mitm"}
		return pair{
			title:   "Python: " + title + ", against mitmdump",
			a:       []string{"mitmdump", "-q", "-n", "-r", in, "-s", name, "-w", "mitm.out"},
			b:       append(b, more...),
			figures: figures, times: 3, cold: true, often: 7,
		}
	}
	start := script("start-up with one flow", "header.py", "one.mitm", []figure{wall("at least 12"), cpu("none")})
	start.times, start.cold, start.often = 10, false, 1
	return []pair{
		start,
		script("header add", "header.py", "reference.mitm", []figure{wall("at least 50"), cpu("at least 40")}),
		script("class, regex and flowfilter", "class.py", "reference.mitm", []figure{wall("at least 40"), cpu("at least 33")}),
		script("body replace", "replace.py", "reference.mitm", []figure{wall("at least 25"), cpu("at least 22")}),
		script("json of each body", "jsonbody.py", "reference.mitm", []figure{wall("at least 8"), cpu("at least 8")}),
		script("json of each body, two processes", "jsonbody.py", "reference.mitm", []figure{wall("at least 12"), cpu("none")}, "-j", "2"),
		script("async hooks of 10 ms", "async.py", "some.mitm", []figure{wall("at least 25"), cpu("none")}, "--concurrency", "128"),
		// Larger bodies, of which half are gzipped: here it is Python's zlib and json that
		// are measured.
		script("gzip: header add", "header.py", "flows17.mitm", []figure{wall("none"), cpu("none")}),
		script("gzip: body replace", "replace.py", "flows17.mitm", []figure{wall("none"), cpu("none")}),
		script("gzip: json of each body", "jsonbody.py", "flows17.mitm", []figure{wall("none"), cpu("none")}),
		{
			title:   "Python: header add, from a dump and from a native file",
			a:       []string{flowkit, "transform", "-q", "--python", debian, "-s", "header.py", "-r", "flows17.mitm", "-w", "out.flow"},
			b:       []string{flowkit, "transform", "-q", "--python", debian, "-s", "header.py", "-r", "flows.flow", "-w", "out2.flow"},
			figures: []figure{wall("at least 1"), cpu("none")}, times: pairs,
		},
	}
}
