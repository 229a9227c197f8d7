package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Example Shop</title>
<link rel="stylesheet" href="http://cdn.shop.example/style.css">
<script src="http://cdn.shop.example/app.js" defer></script></head>
<body><h1>Example Shop</h1><p>Teapots, tea and things for tea — straße, naïve, 日本茶.</p>
<img src="http://cdn.shop.example/logo.png" alt="logo" width="32" height="32">
<ul id="products"></ul></body>
</html>
`

const style = `body { font: 16px/1.5 sans-serif; margin: 2rem auto; max-width: 40rem; }
h1 { color: #245; }
`

const script = `fetch("https://api.shop.example/v1/products").then(r => r.json()).then(list => {
  document.querySelector("#products").append(...list.map(p => {
    const li = document.createElement("li"); li.textContent = p.name + " " + p.price; return li;
  }));
});
`

type product struct {
	ID    int      `json:"id"`
	Name  string   `json:"name"`
	Price float64  `json:"price"`
	Tags  []string `json:"tags,omitempty"`
}

func products() []product {
	things := []string{"teapot", "cup", "kettle", "strainer", "tray", "caddy"}
	makes := []string{"iron", "glass", "porcelain", "copper"}
	var list []product
	for i, make := range makes {
		for j, thing := range things {
			id := i*len(things) + j + 1
			list = append(list, product{id, make + " " + thing, float64(id)*3.5 + 0.49, []string{make, thing}})
		}
	}
	return list
}

// shop answers for all names of the shop; the path alone decides.
func shop() http.Handler {
	mux := http.NewServeMux()

	mux.HandleFunc("GET /{$}", text("text/html; charset=utf-8", page))
	mux.HandleFunc("GET /about", func(w http.ResponseWriter, _ *http.Request) {
		gzipped(w, "text/html; charset=utf-8", strings.Repeat("<p>We have sold teapots for a long time.</p>\n", 60))
	})
	mux.HandleFunc("GET /alt", text("text/html; charset=iso-8859-1", "<p>Stra\xdfe, na\xefve, caf\xe9.</p>\n"))
	mux.HandleFunc("GET /style.css", cached(`"style-1"`, text("text/css", style)))
	mux.HandleFunc("GET /app.js", cached(`"app-1"`, text("text/javascript", script)))
	mux.HandleFunc("GET /logo.png", logo)
	mux.HandleFunc("GET /catalogue.bin", catalogue)

	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		setCookies(w)
		text("text/html; charset=utf-8", `<form method="post"><input name="user"><input name="password" type="password"></form>`)(w, nil)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: r.FormValue("user"), Path: "/", SameSite: http.SameSiteStrictMode})
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		user, err := r.Cookie("user")
		if err != nil {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		text("text/plain; charset=utf-8", "Hello "+user.Value+"\n")(w, r)
	})
	mux.HandleFunc("POST /upload", upload)
	mux.Handle("GET /old", http.RedirectHandler("/older", http.StatusMovedPermanently))
	mux.Handle("GET /older", http.RedirectHandler("http://shop.example/", http.StatusTemporaryRedirect))
	mux.HandleFunc("GET /private", func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="shop"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		text("text/plain", "the cellar key is under the mat\n")(w, r)
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) { // chunked: no length, flushed
		w.Header().Set("Content-Type", "text/plain")
		pieces(w, 5, "piece %d of five\n")
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		pieces(w, 3, "id: %[1]d\nevent: price\ndata: {\"product\":%[1]d,\"price\":9.99}\n\n")
	})
	mux.HandleFunc("GET /headers", rawHeaders)
	mux.HandleFunc("GET /chat", chat)

	api(mux)
	broken(mux)
	return mux
}

func api(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/products", func(w http.ResponseWriter, _ *http.Request) {
		b, _ := json.Marshal(products())
		gzipped(w, "application/json", string(b))
	})
	mux.HandleFunc("GET /v1/products/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if list := products(); err == nil && id > 0 && id <= len(list) {
			reply(w, http.StatusOK, list[id-1])
			return
		}
		reply(w, http.StatusNotFound, map[string]string{"error": "no such product"})
	})
	mux.HandleFunc("POST /v1/products", func(w http.ResponseWriter, r *http.Request) {
		var p product
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		p.ID = 25
		w.Header().Set("Location", "/v1/products/25")
		reply(w, http.StatusCreated, p)
	})
	mux.HandleFunc("PUT /v1/products/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("DELETE /v1/products/{id}", status(http.StatusNoContent))
	mux.HandleFunc("OPTIONS /v1/products", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "http://shop.example")
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /v1/batch", func(w http.ResponseWriter, r *http.Request) { // a gzip'd request body
		body, err := gzip.NewReader(r.Body)
		if err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		n, _ := io.Copy(io.Discard, body)
		reply(w, http.StatusAccepted, map[string]int64{"bytes": n})
	})
	mux.HandleFunc("POST /v1/call", func(w http.ResponseWriter, r *http.Request) { // answers with trailers
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Status, X-Message")
		w.Header().Set("Content-Type", "application/octet-stream")
		fmt.Fprintf(w, "\x00\x00\x00\x00\x04%04d", n)
		w.Header().Set("X-Status", "0")
		w.Header().Set("X-Message", "ok")
	})
	mux.HandleFunc("GET /v1/report", func(w http.ResponseWriter, _ *http.Request) { // slow
		time.Sleep(1200 * time.Millisecond)
		reply(w, http.StatusOK, map[string]int{"sold": 418})
	})
	mux.HandleFunc("GET /v1/crash", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusInternalServerError, map[string]string{"error": "the kettle boiled over"})
	})
	mux.HandleFunc("GET /v1/busy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		reply(w, http.StatusServiceUnavailable, map[string]string{"error": "tea time"})
	})
}

// broken adds the ways in which a server fails its client without an answer.
func broken(mux *http.ServeMux) {
	mux.HandleFunc("GET /broken/close", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /broken/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		pieces(w, 1, "piece %d of a body that ends before its time\n")
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("GET /broken/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

func text(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = io.WriteString(w, body)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// cached answers 304 to whoever has etag already.
func cached(etag string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		w.Header().Set("Cache-Control", "public, max-age=3600")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		next(w, r)
	}
}

func reply(w http.ResponseWriter, code int, v any) {
	b, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(code)
	_, _ = w.Write(b)
}

func gzipped(w http.ResponseWriter, contentType, body string) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, body)
	_ = z.Close()
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Vary", "Accept-Encoding")
	text(contentType, b.String())(w, nil)
}

// pieces writes format n times, and each time sees that it leaves.
func pieces(w http.ResponseWriter, n int, format string) {
	for i := range n {
		fmt.Fprintf(w, format, i+1)
		_ = http.NewResponseController(w).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

func setCookies(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{
		Name: "session", Value: "8f14e45fceea167a", Path: "/", Domain: "shop.example", MaxAge: 3600, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	http.SetCookie(w, &http.Cookie{
		Name: "theme", Value: "dark green", Path: "/", Expires: time.Now().AddDate(0, 1, 0), Secure: true,
		SameSite: http.SameSiteNoneMode,
	})
	w.Header().Add("Set-Cookie", "bare=")
}

func logo(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "logo.png", time.Time{}, bytes.NewReader(logoPNG()))
}

func logoPNG() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for x := range 32 {
		for y := range 32 {
			img.Set(x, y, color.RGBA{uint8(8 * x), uint8(8 * y), 0x80, 0xff})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

// catalogue is 100,000 bytes that no compressor likes; it knows ranges.
func catalogue(w http.ResponseWriter, r *http.Request) {
	b := make([]byte, 100_000)
	_, _ = rand.NewChaCha8(sha256.Sum256([]byte("tea"))).Read(b)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="catalogue.bin"`)
	http.ServeContent(w, r, "catalogue.bin", time.Time{}, bytes.NewReader(b))
}

func upload(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sums := map[string]string{}
	for name, files := range r.MultipartForm.File {
		f, err := files[0].Open()
		if err != nil {
			continue
		}
		h := sha256.New()
		_, _ = io.Copy(h, f)
		_ = f.Close()
		sums[name] = hex.EncodeToString(h.Sum(nil))
	}
	reply(w, http.StatusOK, map[string]any{"fields": r.MultipartForm.Value, "sha256": sums})
}

// rawHeaders writes by hand what net/http would tidy up: odd case, order and repetition of headers, a reason of its own.
func rawHeaders(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "HTTP/1 only", http.StatusHTTPVersionNotSupported)
		return
	}
	defer conn.Close()
	body := fmt.Sprintf("%d header names came in\n", len(r.Header))
	fmt.Fprintf(conn, "HTTP/1.1 200 Quite Alright\r\nx-first: 1\r\nVia: 1.1 kettle\r\nLINK: </style.css>; rel=preload\r\n"+
		"X-Empty:\r\nVia: 1.0 spout\r\nlink: </app.js>; rel=preload\r\nContent-Type: text/plain\r\n"+
		"Content-Length: %d\r\nX-Latin: caf\xe9\r\nConnection: close\r\n\r\n%s", len(body), body)
}
