package live

import (
	"fmt"
	"html"
	"net/http"
	"strconv"

	"flowkit/flowfile"
	"flowkit/live/internal/http1"
)

// errorPage is what a client gets when its server could not be asked.
func errorPage(err error, r *flowfile.Request) (*http1.ResponseHead, []byte) {
	return page(http.StatusBadGateway, "flowkit could not get an answer from "+r.Host(), err.Error())
}

// page returns a response of the proxy's own.
func page(status int, title, text string) (*http1.ResponseHead, []byte) {
	body := fmt.Appendf(nil, "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><title>%d %s</title>\n<h1>%s</h1>\n<p>%s</p>\n",
		status, http.StatusText(status), html.EscapeString(title), html.EscapeString(text))
	return &http1.ResponseHead{
		Version: "HTTP/1.1", Status: status, Reason: http.StatusText(status),
		Fields: []flowfile.Field{
			{Name: "Server", Value: "flowkit"},
			{Name: "Content-Type", Value: "text/html; charset=utf-8"},
			{Name: "Content-Length", Value: strconv.Itoa(len(body))},
			{Name: "Connection", Value: "close"},
		},
	}, body
}
