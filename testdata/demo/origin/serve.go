package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// serve listens on free loopback ports, says in dir which, and serves until ctx is done.
func serve(ctx context.Context, dir string) error {
	authority, certificate, err := newCertificate("shop.example", "*.shop.example")
	if err != nil {
		return err
	}
	var ports bytes.Buffer
	listen := func(name string) (net.Listener, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			fmt.Fprintf(&ports, "%s=%s\n", name, l.Addr())
		}
		return l, err
	}
	plain, err := listen("http")
	if err != nil {
		return err
	}
	secure, err := listen("https")
	if err != nil {
		return err
	}
	queue, err := listen("queue")
	if err != nil {
		return err
	}
	sensor, err := listen("sensor")
	if err != nil {
		return err
	}
	down, err := listen("down")
	if err != nil {
		return err
	}
	if err := down.Close(); err != nil {
		return err
	}
	names, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(&ports, "dns=%s\n", names.LocalAddr())

	// Two servers: one that serves both would set up HTTP/2 or not, as its goroutines happen to start.
	quiet := log.New(io.Discard, "", 0) // broken connections are its trade
	server := &http.Server{Handler: shop(), ErrorLog: quiet}
	secured := &http.Server{
		Handler:   shop(),
		ErrorLog:  quiet,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
	}
	go func() { _ = server.Serve(plain) }()
	go func() { _ = secured.ServeTLS(secure, "", "") }()
	go accept(queue, serveQueue)
	go accept(sensor, serveSensor)
	go serveDNS(names)

	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), authority, 0o600); err != nil {
		return err
	}
	// The ports come last: whoever waits for that file finds everything ready.
	tmp := filepath.Join(dir, "ports.tmp")
	if err := os.WriteFile(tmp, ports.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, "ports")); err != nil {
		return err
	}
	<-ctx.Done()
	return errors.Join(server.Close(), secured.Close())
}

// accept serves every connection of l until l is closed.
func accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}
