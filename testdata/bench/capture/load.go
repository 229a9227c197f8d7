package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// how is the way requests take.
type how struct {
	addr   string // where connections go
	target string // what the request line has before the path: empty, or http://host:port of an explicit proxy
	tunnel string // CONNECT to host:port first
	host   string
	tls    bool
}

// client is one keep-alive connection.
type client struct {
	conn net.Conn
	br   *bufio.Reader
	req  []byte
}

func newClient(conn net.Conn) *client {
	return &client{conn: conn, br: bufio.NewReaderSize(conn, 16<<10)}
}

func (h how) dial() (*client, error) {
	conn, err := net.DialTimeout("tcp", h.addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := newClient(conn)
	if h.tunnel != "" {
		fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", h.tunnel, h.tunnel)
		status, _, err := c.head()
		if err == nil && status != 200 {
			err = fmt.Errorf("CONNECT: status %d", status)
		}
		if err != nil {
			conn.Close()
			return nil, err
		}
	}
	if h.tls {
		t := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost", NextProtos: []string{"http/1.1"}})
		if err := t.Handshake(); err != nil {
			conn.Close()
			return nil, err
		}
		c = newClient(t)
	}
	return c, nil
}

// get makes one exchange and returns the length of the body.
func (c *client) get(h *how, path string) (int64, error) {
	c.req = append(c.req[:0], "GET "...)
	c.req = append(c.req, h.target...)
	c.req = append(c.req, path...)
	c.req = append(c.req, " HTTP/1.1\r\nHost: "...)
	c.req = append(c.req, h.host...)
	c.req = append(c.req, "\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nAccept-Language: en-GB,en;q=0.7\r\nX-Request-Id: 4c5fa35e\r\n\r\n"...)
	if _, err := c.conn.Write(c.req); err != nil {
		return 0, err
	}
	status, length, err := c.head()
	if err != nil {
		return 0, err
	}
	if status != 200 {
		return 0, fmt.Errorf("GET %s: status %d", path, status)
	}
	if length >= 0 {
		_, err := c.br.Discard(int(length))
		return length, err
	}
	total := int64(0)
	for {
		line, err := c.br.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 32)
		if err != nil {
			return 0, err
		}
		if _, err := c.br.Discard(int(n) + 2); err != nil {
			return 0, err
		}
		if n == 0 {
			return total, nil
		}
		total += n
	}
}

// head reads the head of a response; the length is -1 if the body is chunked.
func (c *client) head() (status int, length int64, err error) {
	chunked := false
	for first := true; ; first = false {
		line, err := c.br.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		if first {
			if len(line) < 12 {
				return 0, 0, errors.New("no status line")
			}
			status, err = strconv.Atoi(string(line[9:12]))
			if err != nil {
				return 0, 0, err
			}
			continue
		}
		line = line[:len(line)-2]
		if len(line) == 0 {
			if chunked {
				length = -1
			}
			return status, length, nil
		}
		switch line[0] | 0x20 {
		case 'c':
			if v, ok := cutFold(line, "content-length:"); ok {
				if length, err = strconv.ParseInt(v, 10, 64); err != nil {
					return 0, 0, err
				}
			}
		case 't':
			if v, ok := cutFold(line, "transfer-encoding:"); ok && v == "chunked" {
				chunked = true
			}
		}
	}
}

func cutFold(line []byte, name string) (string, bool) {
	if len(line) < len(name) || !strings.EqualFold(string(line[:len(name)]), name) {
		return "", false
	}
	return strings.TrimSpace(string(line[len(name):])), true
}

// load is what a run of the generator asks for.
type load struct {
	how
	paths []string
	size  int64 // that each body must have
	conns int
	total int     // requests
	rate  float64 // of all connections together, per second; 0: as fast as answers come
}

// result is what a run saw.
type result struct {
	took time.Duration
	late []time.Duration // of each request, sorted
}

func (r *result) rate() float64      { return float64(len(r.late)) / r.took.Seconds() }
func (r *result) p99() time.Duration { return r.late[len(r.late)*99/100] }

// run makes connections first, one request on each, and calls begin before the requests that count.
func (l load) run(begin func()) (*result, error) {
	clients := make([]*client, l.conns)
	defer func() {
		for _, c := range clients {
			if c != nil {
				c.conn.Close()
			}
		}
	}()
	for i := range clients {
		c, err := l.dial()
		if err != nil {
			return nil, err
		}
		clients[i] = c
		if _, err := c.get(&l.how, l.paths[0]); err != nil {
			return nil, err
		}
	}
	begin()
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, l.conns)
	lates := make([][]time.Duration, l.conns)
	start := time.Now()
	for i, c := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			lates[i], errs[i] = l.one(c, &next, start)
		}()
	}
	wg.Wait()
	r := &result{took: time.Since(start)}
	for _, l := range lates {
		r.late = append(r.late, l...)
	}
	slices.Sort(r.late)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(r.late) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return r, nil
}

// one is the work of one connection.
func (l *load) one(c *client, next *atomic.Int64, start time.Time) ([]time.Duration, error) {
	late := make([]time.Duration, 0, l.total/l.conns*2)
	for {
		n := int(next.Add(1) - 1)
		if n >= l.total {
			return late, nil
		}
		from := time.Now()
		if l.rate > 0 {
			due := start.Add(time.Duration(float64(n) / l.rate * 1e9))
			if wait := due.Sub(from); wait > 0 {
				time.Sleep(wait)
				from = time.Now() // the clock of the generator is not what is measured
			} else {
				from = due // but a request that had to wait for a connection is late
			}
		}
		size, err := c.get(&l.how, l.paths[n%len(l.paths)])
		if err != nil {
			return late, err
		}
		if size != l.size {
			return late, fmt.Errorf("a body has %d bytes, not %d", size, l.size)
		}
		late = append(late, time.Since(from))
	}
}
