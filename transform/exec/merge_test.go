package exec_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowkit/flowfile"
	"flowkit/flowfile/coding"
	"flowkit/flowfile/flowtest"
	"flowkit/transform/exec"
)

const (
	ofRequest  = 16 // shifts within Flow.Changed
	ofResponse = 32
)

// An edit changes its part of the flow and nothing else.
func TestEdits(t *testing.T) {
	for _, c := range []struct {
		jq   string
		want flowfile.Parts
		show func(f *flowfile.Flow) any
		get  any
	}{
		{`.comment="x"`, flowfile.PartComment, func(f *flowfile.Flow) any { return f.Comment() }, "x"},
		{`.marked=":x:"`, flowfile.PartMarked, func(f *flowfile.Flow) any { return f.Marked() }, ":x:"},
		{`.replay="request"`, flowfile.PartReplay, func(f *flowfile.Flow) any { return f.Replay() }, "request"},
		{`.intercepted=true`, flowfile.PartIntercepted, func(f *flowfile.Flow) any { return f.Intercepted() }, true},
		{`.created="2026-01-01T00:00:00Z"`, flowfile.PartCreated, func(f *flowfile.Flow) any { return f.Created().RFC3339()[:10] }, "2026-01-01"},
		{`.error={"msg":"gone"}`, flowfile.PartError, func(f *flowfile.Flow) any { return f.Error().Msg }, "gone"},
		{`.metadata={"a":1}`, flowfile.PartMetadata, func(f *flowfile.Flow) any { return fmt.Sprint(f.Metadata()) }, "[{a 1}]"},
		{`.request.method="PUT"`, flowfile.PartMethod << ofRequest, func(f *flowfile.Flow) any { return f.Request().Method() }, "PUT"},
		{`.request.scheme="https"`, flowfile.PartScheme << ofRequest, func(f *flowfile.Flow) any { return f.Request().Scheme() }, "https"},
		{`.request.host="h"`, flowfile.PartHost << ofRequest, func(f *flowfile.Flow) any { return f.Request().Host() }, "h"},
		{`.request.port=8080`, flowfile.PartPort << ofRequest, func(f *flowfile.Flow) any { return f.Request().Port() }, 8080},
		{`.request.authority="a"`, flowfile.PartAuthority << ofRequest, func(f *flowfile.Flow) any { return f.Request().Authority() }, "a"},
		{`.request.path="/x"`, flowfile.PartPath << ofRequest, func(f *flowfile.Flow) any { return f.Request().Path() }, "/x"},
		{`.request.http_version="HTTP/1.0"`, flowfile.PartVersion << ofRequest, func(f *flowfile.Flow) any { return f.Request().Version() }, "HTTP/1.0"},
		{`.response.status=404`, flowfile.PartStatus << ofResponse, func(f *flowfile.Flow) any { return f.Response().Status() }, 404},
		{`.response.reason="No"`, flowfile.PartReason << ofResponse, func(f *flowfile.Flow) any { return f.Response().Reason() }, "No"},
		{`.response.headers+=[["A","b"]]`, flowfile.PartHeaders << ofResponse, func(f *flowfile.Flow) any { return f.Response().Headers().Get("a") }, "b"},
		{`.response.trailers=[["A","b"]]`, flowfile.PartTrailers << ofResponse, func(f *flowfile.Flow) any { return f.Response().Trailers().Get("a") }, "b"},
		{`.response.start="2026-01-01T00:00:00Z"`, flowfile.PartStart << ofResponse, func(f *flowfile.Flow) any { return f.Response().Start().Known() }, true},
		{`.response.end="2026-01-01T00:00:00Z"`, flowfile.PartEnd << ofResponse, func(f *flowfile.Flow) any { return f.Response().End().Known() }, true},
		{`.response.body={"text":"new"}`, flowfile.PartBody << ofResponse, body, "new"},
		{`.response.body={"base64":"/w=="}`, flowfile.PartBody << ofResponse, body, "\xff"},
		{`.response.body={"text":""}`, flowfile.PartBody << ofResponse, body, ""},
		{`del(.response)`, flowfile.PartResponse, func(f *flowfile.Flow) any { return f.Response() == nil }, true},
		{`del(.request)`, flowfile.PartRequest, func(f *flowfile.Flow) any { return f.Request() == nil }, true},
		{`.response.new="own"`, flowfile.PartResponse, body, "body 0 ü"},
		{`.request.new="own"`, flowfile.PartRequest, body, "body 0 ü"},
		{`.new="own"`, 0, func(f *flowfile.Flow) any { return fmt.Sprint(f.Extra()) }, "[{new \xa3own}]"},
		{`.client={"id":"c"}`, flowfile.PartClient, func(f *flowfile.Flow) any { return f.Client().ID }, "c"},
		{`.server={"id":"c"}`, flowfile.PartServer, func(f *flowfile.Flow) any { return f.Server().ID }, "c"},
		{`.url="http://nobody.example/"|.start=null`, 0, body, "body 0 ü"},
		{`.request.body=null`, 0, body, "body 0 ü"},
		{`del(.request.body,.response.body)`, 0, body, "body 0 ü"},
	} {
		// A key with an escape keeps flowkit from reading only what was changed.
		for _, behind := range []string{"", ` | sed 's/"type"/"t\\u0079pe"/'`} {
			got := good(t, sourceOf(requests(1)), "jq -c '"+c.jq+"'"+behind, exec.Options{})
			if len(got) != 1 || got[0].Changed() != c.want || c.show(got[0]) != c.get {
				t.Errorf("%s%s: changed %b, want %b; %v, want %v", c.jq, behind, got[0].Changed(), c.want, c.show(got[0]), c.get)
			}
		}
	}
}

func body(f *flowfile.Flow) any {
	b, err := f.Response().Body().Bytes(-1)
	if err != nil {
		return err
	}
	return string(b)
}

// What is taken away is gone.
func TestRemoved(t *testing.T) {
	f := request(0)
	f.SetComment("x")
	f.SetError(&flowfile.Error{Msg: "x"})
	f.SetMetadata(flowtest.Metadata())
	trailers := flowfile.NewHeaders([]flowfile.Field{{Name: "A", Value: "b"}})
	f.Response().SetTrailers(&trailers)
	f.SetResponse(f.Response())
	got := good(t, sourceOf([]*flowfile.Flow{f}), `jq -c 'del(.comment,.error,.metadata,.response.trailers)'`, exec.Options{})[0]
	if got.Comment() != "" || got.Error() != nil || len(got.Metadata()) != 0 || got.Response().Trailers() != nil {
		t.Errorf("left: %v", flowtest.Tree(got))
	}
}

// Certificates that were not in the line stay.
func TestCertificatesStay(t *testing.T) {
	f := flowtest.Flows(1, 1)[0]
	if len(f.Server().Certificates) == 0 {
		t.Fatal("no certificates to lose")
	}
	got := good(t, sourceOf([]*flowfile.Flow{f}), `jq -c '.server.sni="x"|.client.sni="x"'`, exec.Options{})[0]
	if got.Server().SNI != "x" || len(got.Server().Certificates) != 2 || got.Client().MitmCert.State() != flowfile.BodyPresent {
		t.Errorf("%+v", got.Server())
	}
	got = good(t, sourceOf([]*flowfile.Flow{f}), `jq -c 'del(.server.certificates)'`, exec.Options{Bodies: exec.Bodies{Mode: exec.Base64}})[0]
	if len(got.Server().Certificates) != 0 {
		t.Error("certificates that were taken away are there")
	}
}

func zipped(text string) *flowfile.Flow {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	f := request(0)
	f.Response().Headers().Replace([]flowfile.Field{
		{Name: "Content-Type", Value: "text/html; charset=iso-8859-1"},
		{Name: "Content-Encoding", Value: "gzip"},
		{Name: "Content-Length", Value: fmt.Sprint(b.Len())},
	})
	f.Response().SetBody(flowfile.BytesBody(b.Bytes()))
	// As if it had been read.
	return flowfile.New(flowfile.Head{ID: "z", Response: flowfile.NewResponse(flowfile.ResponseHead{
		Status: 200, MessageHead: flowfile.MessageHead{Headers: f.Response().Headers().Fields(), Body: f.Response().Body()},
	})})
}

// Text is decoded, and coded again when it was changed.
func TestText(t *testing.T) {
	text := exec.Options{Bodies: exec.Bodies{Mode: exec.Text}}
	got := good(t, sourceOf([]*flowfile.Flow{zipped("gr\xfcn")}), `sed 's/grün/grüner/'`, text)[0]
	r := got.Response()
	content, err := coding.DecodedBody(&r.Message, -1)
	if err != nil || string(content) != "gr\xfcner" || r.Headers().Get("Content-Length") != fmt.Sprint(r.Body().Size()) {
		t.Errorf("%q, %v, length %s", content, err, r.Headers().Get("Content-Length"))
	}
	if want := (flowfile.PartBody | flowfile.PartHeaders) << ofResponse; got.Changed() != want {
		t.Errorf("changed %b", got.Changed())
	}

	// Without its coding the same text is other bytes.
	got = good(t, sourceOf([]*flowfile.Flow{zipped("gr\xfcn")}), `jq -c '.response.headers|=map(select(.[0]!="Content-Encoding"))'`, text)[0]
	if body(got) != "gr\xfcn" || got.Response().Headers().Get("Content-Length") != "4" {
		t.Errorf("%q, %v", body(got), got.Response().Headers().Fields())
	}

	// What is no text is not in the line and stays.
	png := request(0)
	png.Response().SetBody(flowfile.StringBody("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff"))
	png.Response().Headers().Set("Content-Type", "image/png")
	got = good(t, sourceOf([]*flowfile.Flow{png}), `jq -c 'if .response.body==null then .comment="none" else . end'`, text)[0]
	if got.Comment() != "none" || !strings.HasPrefix(body(got).(string), "\x89PNG") {
		t.Errorf("%q %q", got.Comment(), body(got))
	}

	// New text where there was none, and other bytes.
	got = good(t, sourceOf(requests(1)), `jq -c '.response={"status":418,"headers":[["Content-Encoding","gzip"]],"body":{"text":"teapot"}}|.request.body={"base64":"/w=="}'`, text)[0]
	content, err = coding.DecodedBody(&got.Response().Message, -1)
	if b, _ := got.Request().Body().Bytes(-1); err != nil || string(content) != "teapot" || string(b) != "\xff" {
		t.Errorf("%q, %v, %q", content, err, b)
	}
	got = good(t, sourceOf(requests(1)), `jq -c 'del(.response)' | jq -c '.response={"status":200,"headers":[],"body":{"text":"x"}}'`, text)[0]
	if body(got) != "x" {
		t.Errorf("%q", body(got))
	}
}

// A body that was truncated is so still.
func TestTruncated(t *testing.T) {
	f := request(0)
	f.Response().SetBody(flowfile.StringBody("begin").Truncate(100))
	for name, bodies := range modes(t) {
		got := good(t, sourceOf([]*flowfile.Flow{f}), `jq -c '.comment="x"'`, exec.Options{Bodies: bodies})[0]
		if b := got.Response().Body(); b.State() != flowfile.BodyTruncated || b.Total() != 100 || body(got) != "begin" {
			t.Errorf("%s: %v %d %q", name, b.State(), b.Total(), body(got))
		}
	}
	got := good(t, sourceOf([]*flowfile.Flow{f}), `sed s/begin/start/`, exec.Options{Bodies: exec.Bodies{Mode: exec.Text}})[0]
	if got.Response().Body().State() != flowfile.BodyTruncated || body(got) != "start" {
		t.Errorf("%q", body(got))
	}
}

func conversation(kind flowfile.Kind, texts ...string) *flowfile.Flow {
	log := &flowfile.MessageLog{}
	for i, s := range texts {
		log.Append(flowfile.Msg{FromClient: i%2 == 0, Time: flowfile.Time(i + 1), Body: flowfile.StringBody(s)})
	}
	return flowfile.New(flowfile.Head{ID: "m", Kind: kind, Messages: log})
}

func TestMessages(t *testing.T) {
	for _, c := range []struct{ mode, command, want string }{
		{"none", `jq -c '.messages|=map(select(.from_client))'`, "a,c"},
		{"none", `jq -c '.messages|=reverse'`, "d,c,b,a"},
		{"none", `jq -c '.messages|=map(del(.n))|.messages[1].dropped=true'`, "a,b!,c,d"},
		{"none", `jq -c '.messages[2].body={"text":"new"}'`, "a,b,new,d"},
		{"none", `jq -c 'del(.messages)'`, ""},
		{"none", `jq -c '.messages+=[{"from_client":true,"body":{"text":"e"}}]'`, "a,b,c,d,e"},
		{"text", `sed 's/"text":"b"/"text":"B"/'`, "a,B,c,d"},
		{"base64", `jq -c '.messages[3].body=null'`, "a,b,c,absent"},
		{"file", `jq -c '.messages[0].body.text="A"'`, "A,b,c,d"},
	} {
		f := conversation(flowfile.TCP, "a", "b", "c", "d")
		got := good(t, sourceOf([]*flowfile.Flow{f}), c.command, exec.Options{Bodies: modes(t)[c.mode]})[0]
		var texts []string
		for m, err := range got.Messages().All() {
			b, berr := m.Body.Bytes(-1)
			if err != nil || berr != nil || len(m.Extra) > 0 {
				t.Errorf("%s: %v, %v, %v", c.command, err, berr, m.Extra)
			}
			text := string(b)
			if m.Body.State() == flowfile.BodyAbsent {
				text = "absent"
			}
			if m.Dropped {
				text += "!"
			}
			texts = append(texts, text)
		}
		if s := strings.Join(texts, ","); s != c.want || got.Changed() != flowfile.PartMessages {
			t.Errorf("%s: %s, want %s; changed %b", c.command, s, c.want, got.Changed())
		}
	}
}

// What is too large for a line stays out of it, and as it is.
func TestLarge(t *testing.T) {
	f := request(0)
	large := strings.Repeat("x", 5000)
	f.Response().SetBody(flowfile.StringBody(large))
	m := conversation(flowfile.UDP, "small", large, "small too")
	for _, mode := range []exec.Mode{exec.Text, exec.Base64} {
		got := good(t, sourceOf([]*flowfile.Flow{f, m}), `jq -c '.comment="length \(tostring|length)"|if .messages then .messages|=.[1:] else . end'`,
			exec.Options{Bodies: exec.Bodies{Mode: mode}, MaxBody: 1000})
		if len(got[0].Comment()) > len("length 999") || body(got[0]) != large {
			t.Errorf("%s, %d bytes", got[0].Comment(), got[0].Response().Body().Size())
		}
		var sizes []int64
		for m := range got[1].Messages().All() {
			sizes = append(sizes, m.Body.Size())
		}
		if !slices.Equal(sizes, []int64{5000, 9}) {
			t.Errorf("messages of %d bytes", sizes)
		}
	}
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		name, command string
		want          any
		changed       flowfile.Parts // 0: no matter
	}{
		{"as they are", `cat`, "body 0 ü", 0},
		{"same size", `jq -c . | tee lines | jq -r .response.body_file | xargs sed -i s/body/BODY/; cat lines`, "BODY 0 ü", flowfile.PartBody << ofResponse},
		{"longer", `tee lines | jq -r .response.body_file | while read f; do echo x >>"$f"; done; cat lines`, "body 0 üx\n", flowfile.PartBody << ofResponse},
		{"another file", `echo -n other >other; jq -c '.response.body_file="other"'`, "other", flowfile.PartBody << ofResponse},
		{"large", `head -c 100000 /dev/zero >other; jq -c '.response.body_file="other"'`, strings.Repeat("\x00", 100000), flowfile.PartBody << ofResponse},
		{"removed file", `tee lines | jq -r .response.body_file | xargs rm; cat lines`, "body 0 ü", 0},
		{"removed reference", `jq -c 'del(.response.body_file)'`, "", flowfile.PartBody << ofResponse},
		{"in the line", `jq -c '.response.body={"text":"line"}'`, "line", flowfile.PartBody << ofResponse},
		{"in the line instead", `jq -c '.response.body={"text":"line"}|del(.response.body_file)'`, "line", flowfile.PartBody << ofResponse},
		{"new response", `echo -n other >other; jq -c '.response={"status":200,"headers":[],"body_file":"other"}'`, "other", 0},
		{"a flow of its own", `cat >/dev/null; echo -n other >other; echo '{"type":"http","response":{"status":200,"headers":[],"body_file":"other"}}'`, "other", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			got := good(t, sourceOf(requests(1)), c.command, exec.Options{Bodies: exec.Bodies{Mode: exec.Files, Dir: filepath.Join(t.TempDir(), "bodies")}})
			if b := body(got[0]); b != c.want || c.changed != 0 && got[0].Changed() != c.changed {
				t.Errorf("%.40q, changed %b", b, got[0].Changed())
			}
			if len(got[0].Response().Extra()) > 0 {
				t.Errorf("left over: %v", got[0].Response().Extra())
			}
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for _, file := range []string{"nowhere", "/dev/null", "."} {
		dir := filepath.Join(t.TempDir(), "bodies")
		r := run(t, sourceOf(requests(2)), `jq -c 'if .id=="id-0" then .response.body_file="`+file+`" else . end'`, exec.Options{Bodies: exec.Bodies{Mode: exec.Files, Dir: dir}})
		if r.err != nil || len(r.damage) != 1 || ids(r.flows) != "1" || !strings.Contains(r.damage[0], "line 1: ") {
			t.Errorf("%s: %v %q %s", file, r.err, r.damage, ids(r.flows))
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := run(t, sourceOf(requests(1)), "cat", exec.Options{Bodies: exec.Bodies{Mode: exec.Files, Dir: dir}}); r.err == nil || !strings.Contains(r.err.Error(), "not empty") {
		t.Errorf("%v", r.err)
	}
}

func TestParseBodies(t *testing.T) {
	for _, s := range []string{"none", "text", "base64", "file:x"} {
		if _, err := exec.ParseBodies(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "all", "file:", "file", "file:\xff", "text:x"} {
		if b, err := exec.ParseBodies(s); err == nil {
			t.Errorf("%q: %v", s, b)
		}
	}
}

// Flows of one id, and flows of none.
func TestIDs(t *testing.T) {
	a, b, c, d := request(1), request(1), request(2), request(3)
	b.SetComment("second")
	c.SetID("")
	d.SetID("")
	flows := []*flowfile.Flow{a, b, c, d}
	for _, command := range []string{"cat", "jq -c '.marked=\"x\"'", "cat; true"} {
		got := good(t, sourceOf(flows), command, exec.Options{})
		for i, f := range got {
			if f.ID() != flows[i].ID() || f.Comment() != flows[i].Comment() || body(f) != body(flows[i]) {
				t.Errorf("%s: flow %d: %q %q %q", command, i, f.ID(), f.Comment(), body(f))
			}
		}
	}
	got := good(t, sourceOf(flows), "tac", exec.Options{})
	for i, f := range got {
		want := flows[3-i]
		if f.Comment() != want.Comment() || body(f) != body(want) {
			t.Errorf("flow %d of tac: %q %q", i, f.Comment(), body(f))
		}
	}

	// A new id makes a flow of its own, and so does another type.
	got = good(t, sourceOf(requests(1)), `jq -c '.id="other", .type="tcp"'`, exec.Options{})
	if len(got) != 2 || got[0].Response().Body().State() != flowfile.BodyAbsent || got[1].Kind() != flowfile.TCP {
		t.Errorf("%v", got)
	}
}

// Unknown fields may have any name, also one that comes twice.
func TestUnknownFields(t *testing.T) {
	f := request(0)
	f.SetExtra(flowfile.Extra{{Key: "a\"b", Value: "\x01"}, {Key: "twice", Value: "\x01"}, {Key: "twice", Value: "\x02"}, {Key: "\xff", Value: "\x01"}, {Key: "n", Value: "\xc4\x01x"}})
	for _, edit := range []string{"", " | jq -c '.comment=\"x\"'"} {
		got := good(t, sourceOf([]*flowfile.Flow{f}), "sed 's/GET/PUT/'"+edit, exec.Options{})[0]
		if got.Request().Method() != "PUT" || edit == "" && len(got.Extra()) != 5 || got.Request().Changed() != flowfile.PartMethod {
			t.Errorf("%v", flowtest.Tree(got))
		}
	}
}
