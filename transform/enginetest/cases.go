package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/native"
	"flowkit/replay"
	"flowkit/transform/script"
)

// A testCase is one thing that engines must do.
type testCase struct {
	name        string
	explanation string
	scripts     []string
	run         func(*suite)
}

var cases = []testCase{
	{"events", "the hooks fire in the order of mitmproxy's documentation", []string{"trace"}, events},
	{"header", "a header that is added to every response is there, and nothing else changed", []string{"header"}, header},
	{"lazy response", "a response that is set in request is announced", []string{"lazy_response"}, lazyResponse},
	{"lazy error", "an error that is set in response is announced", []string{"lazy_error"}, lazyError},
	{"messages", "messages can be edited, taken out and marked as dropped, from within their hook", []string{"messages"}, editMessages},
	{"messages at the end", "messages can be edited in a later hook, too", []string{"messages_end"}, messagesEnd},
	{"drop", "flow.drop() takes the flow out of the output", []string{"drop"}, drop},
	{"two scripts", "an error of the first script does not skip the second", []string{"raises", "header"}, twoScripts},
	{"policies", "drop and abort do what they say", []string{"raises"}, policies},
	{"lifecycle", "load, configure and running come once before the flows, done once behind them", []string{"lifecycle"}, lifecycle},
	{"lifecycle of an aborted run", "done comes once after an error, too", []string{"lifecycle", "raises"}, lifecycleAborted},
	{"lifecycle of a stopped run", "done comes once after an early stop, too", []string{"lifecycle"}, lifecycleStopped},
	{"start raises", "a script that cannot start sees no flow", []string{"start_raises"}, startRaises},
	{"body", "a new content is encoded as the old was, and content-length is right", []string{"replace"}, replaceBody},
	{"raw content", "raw_content is the body as it was on the wire", []string{"raw"}, rawContent},
	{"text", "text is decoded and encoded by its charset", []string{"text"}, textCharset},
	{"query", "the query can be edited", []string{"query"}, editQuery},
	{"make", "Response.make sets status, reason, headers, content and its length", []string{"make"}, makeResponse},
	{"annotations", "marked, comment and metadata are kept in the output", []string{"annotate"}, annotate},
	{"options", "--set gives options, typed by loader.add_option", []string{"options"}, options},
	{"options that are wrong", "a value of the wrong type ends the run before the first flow", []string{"options"}, wrongOptions},
	{"context", "hooks of mitmproxy up to 0.17 get a context before the flow", []string{"context"}, context17},
	{"start", "start() is load", []string{"start"}, startHook},
	{"runaway", "a hook that never ends is ended, the flow is kept, the next one comes", []string{"runaway"}, runaway},
	{"large body", "a body over the limit raises, and is not loaded", []string{"touch"}, largeBody},
	{"print", "print goes to the output of the script, in the order of the flows", []string{"print"}, printing},
	{"parallel", "the output is the same with one worker and with four", []string{"parallel"}, parallel},
	{"ordered", "a script that depends on the order of flows gets them in order", []string{"counter"}, ordered},
}

func events(s *suite) {
	for _, tr := range Traces() {
		for _, c := range []struct {
			classic bool
			want    string
		}{{false, tr.Modern}, {true, tr.Classic}} {
			s.output.Reset()
			s.classic = c.classic
			s.run(tr.Flow())
			if got := strings.Join(strings.Fields(s.output.String()), " "); got != c.want {
				s.Errorf("%s, classic %v:\n got %s\nwant %s", tr.Shape, c.classic, got, c.want)
			}
		}
	}
	s.noErrors()
}

func header(s *suite) {
	f := httpFlow("1", "/", "body", "Content-Type", "text/plain")
	asked := requestFlow("2", "/")
	out := s.run(f, asked)
	s.noErrors()
	s.equal("the number of flows", len(out), 2)
	s.equal("the headers", f.Response().Headers().Fields(), "[{Content-Type text/plain} {newheader foo}]")
	s.changed("what changed", f.Response().Changed(), flowfile.PartHeaders)
	s.changed("what changed in a flow without a response", asked.Changed(), 0)
}

func lazyResponse(s *suite) {
	f := requestFlow("1", "/")
	s.run(f)
	s.noErrors()
	if f.Response() == nil {
		s.Fatal("there is no response")
	}
	s.equal("the status", f.Response().Status(), 418)
	s.equal("the header that response added", f.Response().Headers().Get("x-seen"), "418")
}

func lazyError(s *suite) {
	f := httpFlow("1", "/", "")
	s.run(f)
	s.noErrors()
	s.equal("the error", f.Error().Msg, "made up")
	s.equal("the comment of error", f.Comment(), "error: made up")
}

func editMessages(s *suite) {
	for _, kind := range []flowfile.Kind{flowfile.HTTP, flowfile.TCP, flowfile.UDP} {
		f := streamFlow(kind, "1", "keep", "edit", "remove", "drop", "keep")
		untouched := streamFlow(kind, "2", "a", "b")
		s.run(f, untouched)
		want := "keep edited drop(dropped) keep"
		if kind != flowfile.HTTP {
			want = "keep edited drop keep" // their messages cannot be marked
		}
		s.equal(kind.String()+" messages", s.messages(f), want)
		s.equal("messages are marked as changed", f.Changed().Has(flowfile.PartMessages), true)
		s.equal("untouched "+kind.String()+" messages", s.messages(untouched), "a b")
		s.changed("what changed of them", untouched.Changed(), 0)
	}
	s.noErrors()
}

func messagesEnd(s *suite) {
	for _, kind := range []flowfile.Kind{flowfile.HTTP, flowfile.TCP, flowfile.UDP} {
		f := streamFlow(kind, "1", "one", "two", "three")
		s.run(f)
		s.equal(kind.String()+" messages", s.messages(f), "ONE three")
	}
	s.noErrors()
}

func drop(s *suite) {
	out := s.run(httpFlow("1", "/keep", ""), httpFlow("2", "/drop", ""), httpFlow("3", "/keep", ""))
	s.noErrors()
	s.equal("the output", ids(out), "1 3")
}

func ids(flows []*flowfile.Flow) string {
	var all []string
	for _, f := range flows {
		all = append(all, f.ID())
	}
	return strings.Join(all, " ")
}

func twoScripts(s *suite) {
	f := httpFlow("1", "/", "")
	out := s.run(f, httpFlow("2", "/", ""))
	s.equal("the output", ids(out), "1 2")
	s.equal("the change before the error", f.Comment(), "before")
	s.equal("the header of the second script", f.Response().Headers().Get("newheader"), "foo")
	s.equal("the number of errors", s.errs.Total(), 2)
	if len(s.reports) == 0 || !strings.HasPrefix(s.reports[0], "raises"+s.dialect.Ext+":") || !strings.Contains(s.reports[0], "response of flow 1") {
		s.Errorf("the report does not name script, line and flow: %q", s.reports)
	}
}

func policies(s *suite) {
	s.policy = script.Drop
	s.equal("with drop, the output", ids(s.run(httpFlow("1", "/", ""), requestFlow("2", "/"))), "2")
	s.policy = script.Abort
	if _, err := s.try(httpFlow("1", "/", ""), requestFlow("2", "/")); err == nil {
		s.Error("with abort, the run went on")
	}
}

func lifecycle(s *suite) {
	s.run(httpFlow("1", "/", ""), httpFlow("2", "/", ""))
	s.noErrors()
	s.equal("the output", strings.Fields(s.output.String()), "[load configure running request request done]")
}

func lifecycleAborted(s *suite) {
	s.policy = script.Abort
	if _, err := s.try(httpFlow("1", "/", ""), httpFlow("2", "/", "")); err == nil {
		s.Error("the run went on")
	}
	s.equal("the output", strings.Fields(s.output.String()), "[load configure running request done]")
}

func lifecycleStopped(s *suite) {
	s.after = []replay.Stage{replay.StageFunc(func(context.Context, *flowfile.Batch) error { return replay.ErrStop })}
	s.workers = 1
	var flows []*flowfile.Flow
	for i := range 30 {
		flows = append(flows, httpFlow(fmt.Sprint(i), "/", ""))
	}
	out := s.run(flows...)
	if len(out) == 0 || len(out) == len(flows) {
		s.Errorf("%d flows came out", len(out))
	}
	got := strings.Fields(s.output.String())
	s.equal("the first of the output", got[:3], "[load configure running]")
	s.equal("how often done came", strings.Count(s.output.String(), "done"), 1)
	s.equal("the last of the output", got[len(got)-1], "done")
}

func startRaises(s *suite) {
	out, err := s.try(httpFlow("1", "/", ""))
	if err == nil || len(out) > 0 {
		s.Errorf("%d flows came out, error %v", len(out), err)
	}
	s.equal("the output", s.output.String(), "")
	if len(s.reports) != 1 || !strings.HasPrefix(s.reports[0], "start_raises"+s.dialect.Ext+":") {
		s.Errorf("the report does not name script and line: %q", s.reports)
	}
}

func replaceBody(s *suite) {
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "identity", "unheard-of"} {
		wire, err := coding.Encode([]byte("the cat sat"), encoding)
		if err != nil {
			wire = []byte("the cat sat")
		}
		f := httpFlow(encoding, "/", string(wire), "Content-Encoding", encoding, "Content-Length", fmt.Sprint(len(wire)))
		s.run(f)
		if encoding == "unheard-of" {
			continue // content raises; that is checked below
		}
		s.noErrors()
		r := f.Response()
		content, err := coding.DecodedBody(&r.Message, -1)
		if err != nil {
			s.Error(err)
		}
		s.equal(encoding+" content", string(content), "the dog sat")
		s.equal(encoding+" header", r.Headers().Get("content-encoding"), encoding)
		s.equal(encoding+" length", r.Headers().Get("content-length"), r.Body().Size())
	}
	s.equal("errors of a coding nobody knows", s.errs.Total(), 1)

	chunked := httpFlow("chunked", "/", "the cat sat", "Transfer-Encoding", "chunked")
	absent := httpFlow("absent", "/", "")
	absent.Response().SetBody(flowfile.Body{})
	s.run(chunked, absent)
	s.noErrors()
	s.equal("headers of a chunked body", chunked.Response().Headers().Fields(), "[{Transfer-Encoding chunked}]")
	s.equal("the state of an absent body", absent.Response().Body().State(), flowfile.BodyAbsent)
}

func rawContent(s *suite) {
	wire, err := coding.Encode([]byte("hello"), "gzip")
	if err != nil {
		s.Fatal(err)
	}
	f := httpFlow("1", "/", string(wire), "Content-Encoding", "gzip", "Content-Length", "1")
	s.run(f)
	s.noErrors()
	s.equal("the comment", f.Comment(), fmt.Sprintf("%d raw, 5 decoded", len(wire)))
	s.equal("the body", s.text(f.Response().Body()), "raw")
	s.equal("the headers", f.Response().Headers().Fields(), "[{Content-Encoding gzip} {Content-Length 1}]")
}

func textCharset(s *suite) {
	latin := httpFlow("1", "/", "caf\xe9", "Content-Type", "text/plain; charset=iso-8859-1")
	utf := httpFlow("2", "/", "caf\u00e9", "Content-Type", "text/plain; charset=utf-8")
	json := httpFlow("3", "/", `"caf`+"\u00e9"+`"`, "Content-Type", "application/json")
	s.run(latin, utf, json)
	s.noErrors()
	s.equal("latin-1", s.text(latin.Response().Body()), "caf\xe9 \xe9t\xe9")
	s.equal("its length", latin.Response().Headers().Get("content-length"), 8)
	s.equal("utf-8", s.text(utf.Response().Body()), "caf\u00e9 \u00e9t\u00e9")
	s.equal("JSON", s.text(json.Response().Body()), `"caf`+"\u00e9\" \u00e9t\u00e9")
}

func editQuery(s *suite) {
	f := httpFlow("1", "/a?b=1&gone=x&c=%C3%A9+d&empty=#frag", "")
	s.run(f)
	s.noErrors()
	s.equal("the comment", f.Comment(), "b=1 c=\u00e9 d empty=")
	s.equal("the path", f.Request().Path(), "/a?b=2+%26&c=%C3%A9+d&empty=&new=1#frag")
	s.changed("what changed", f.Request().Changed(), flowfile.PartPath)
}

func makeResponse(s *suite) {
	f := requestFlow("1", "/")
	s.run(f)
	s.noErrors()
	r := f.Response()
	s.equal("the status", r.Status(), 404)
	s.equal("the reason", r.Reason(), "Not Found")
	s.equal("the version", r.Version(), "HTTP/1.1")
	s.equal("the headers", r.Headers().Fields(), "[{content-type text/html} {X-A b} {content-length 4}]")
	s.equal("the body", s.text(r.Body()), "gone")
}

func annotate(s *suite) {
	f := httpFlow("1", "/", "")
	out := s.run(f)
	s.noErrors()
	var file bytes.Buffer
	w := native.NewWriter(&file, native.WriterOptions{})
	if err := w.Write(&flowfile.Batch{Flows: out}); err != nil {
		s.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	r := native.NewReader(&file, native.ReaderOptions{})
	defer r.Close()
	for g, err := range flowfile.Flows(r) {
		if err != nil {
			s.Fatal(err)
		}
		s.equal("the mark", g.Marked(), ":grapes:")
		s.equal("the comment", g.Comment(), "a comment")
		s.equal("the metadata", fmt.Sprintf("%v", g.Metadata()), "[{n 7} {list [1 two <nil> true]} {map [{k 1.5}]}]")
	}
}

func options(s *suite) {
	s.set = map[string]string{"level": "3", "name": "bob", "on": "true"}
	f := httpFlow("1", "/", "")
	s.run(f)
	s.noErrors()
	s.equal("the comment", f.Comment(), "level 4 name bob on default unset")
}

func wrongOptions(s *suite) {
	for name, set := range map[string]map[string]string{
		"the type":       {"level": "high"},
		"not one of":     {"name": "mallory"},
		"no such option": {"levle": "3"},
	} {
		s.set = set
		if out, err := s.try(httpFlow("1", "/", "")); err == nil || len(out) > 0 {
			s.Errorf("%s: %d flows came out, error %v", name, len(out), err)
		}
	}
}

func context17(s *suite) {
	f := httpFlow("1", "/", "")
	s.run(f)
	s.noErrors()
	s.equal("the comment", f.Comment(), "seen with a context")
	s.equal("what start printed", strings.TrimSpace(s.output.String()), "context"+s.dialect.Ext)
}

func startHook(s *suite) {
	s.run(httpFlow("1", "/", ""))
	s.noErrors()
	s.equal("the output", strings.Fields(s.output.String()), "[start response]")
}

func runaway(s *suite) {
	s.limits.Timeout = 300 * time.Millisecond
	begin := time.Now()
	f := httpFlow("1", "/forever", "")
	out := s.run(f, httpFlow("2", "/", ""))
	if d := time.Since(begin); d > 10*time.Second {
		s.Errorf("it took %v", d)
	}
	s.equal("the output", ids(out), "1 2")
	s.equal("the change before", f.Comment(), "before")
	s.equal("the number of errors", s.errs.Total(), 1)
	s.equal("the comment of the next flow", out[1].Comment(), "done")
}

func largeBody(s *suite) {
	s.limits.Body = 1000
	small, large := httpFlow("1", "/", strings.Repeat("x", 1000)), httpFlow("2", "/", strings.Repeat("x", 1001))
	wire, err := coding.Encode(make([]byte, 100_000), "gzip")
	if err != nil {
		s.Fatal(err)
	}
	bomb := httpFlow("3", "/", string(wire), "Content-Encoding", "gzip")
	s.run(small, large, bomb)
	s.equal("the comment of the small one", small.Comment(), "1000")
	s.equal("the comment of the large one", large.Comment(), "")
	s.equal("the comment of the bomb", bomb.Comment(), "")
	s.equal("the number of errors", s.errs.Total(), 2)
	if len(s.reports) == 0 || !strings.Contains(s.reports[0], "--max-script-body") {
		s.Errorf("the report does not name the flag: %q", s.reports)
	}
}

func printing(s *suite) {
	s.run(httpFlow("1", "/", ""), httpFlow("2", "/", ""))
	s.noErrors()
	s.equal("the output", s.output.String(), "flow 1 b'x' None\nflow 2 b'x' None\n")
}

func manyFlows() []*flowfile.Flow {
	var flows []*flowfile.Flow
	for i := range 300 {
		flows = append(flows, httpFlow(fmt.Sprint(i), fmt.Sprintf("/%d?n=%d", i%7, i), strings.Repeat(fmt.Sprint(i), i)))
	}
	return flows
}

func parallel(s *suite) {
	var outputs [][]string
	for _, workers := range []int{1, 4} {
		s.workers = workers
		var lines []string
		for _, f := range s.run(manyFlows()...) {
			lines = append(lines, fmt.Sprint(f.ID(), f.Request().URL(), f.Response().Headers().Fields(), s.text(f.Response().Body()), f.Comment()))
		}
		outputs = append(outputs, lines)
	}
	s.noErrors()
	s.equal("the number of flows", len(outputs[0]), 258)
	if !slices.Equal(outputs[0], outputs[1]) {
		s.Error("the output with four workers differs")
	}
}

func ordered(s *suite) {
	s.workers = 4
	for i, f := range s.run(manyFlows()...) {
		if f.Comment() != fmt.Sprint("number ", i+1) {
			s.Fatalf("flow %d has the comment %q", i, f.Comment())
		}
	}
	s.noErrors()
	if s.info[0].Ordered == "" {
		s.Error("Info does not tell why")
	}
}
