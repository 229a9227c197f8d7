// Command capture measures what recording proxies cost: CPU time of the proxy's process per request, for responses of
// 8 kB and 1 MB over HTTP and HTTPS, the memory of 10,000 idle connections, and latency at half load. The proxies take
// turns within one run, with nginx as the origin, so that a ratio holds on a machine whose speed drifts.
// Usage: capture [-rounds N] [-only WORD] FLOWKIT (make bench-capture calls it).
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "-role" {
		if err := roles[os.Args[2]](os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, os.Args[2]+":", err)
			os.Exit(1)
		}
		return
	}
	rounds := flag.Int("rounds", 5, "how often each proxy has its turn")
	scale := flag.Float64("scale", 1, "times as many requests")
	only := flag.String("only", "", "only measurements whose title has this `word`")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: capture [-rounds N] [-scale X] [-only WORD] FLOWKIT")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *rounds, *scale, *only); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

// conns is how many connections the generator keeps busy.
const conns = 16

// bench is what measurements have in common.
type bench struct {
	dir     string
	flowkit string
	self    string
	nginx   string
	rounds  int
	scale   float64
	origin  int // ports
	secure  int
	plain   int // of nginx as a proxy
	ended   int // TLS ends, plain HTTP to the origin
	both    int // TLS on both sides
	proxy   *process

	recorded int // files
}

// peer is a proxy: how to start it and how to go through it.
type peer struct {
	name  string
	start func() (*process, error) // nil: nginx, which runs all the time
	plain how
	tls   how
	few   bool // it is slow
	grace time.Duration
}

func run(flowkit string, rounds int, scale float64, only string) error {
	raiseFiles()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if _, serr := os.Stat("/usr/sbin/nginx"); serr != nil {
			fmt.Println("nginx is not installed, and nothing is measured without: apt-get install nginx-light")
			return nil
		}
		program = "/usr/sbin/nginx"
	}
	b := &bench{nginx: program, rounds: max(rounds, 3), scale: scale}
	if b.flowkit, err = filepath.Abs(flowkit); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "bench-capture-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	if err := site(filepath.Join(b.dir, "www")); err != nil {
		return err
	}
	if err := certificate(b.dir); err != nil {
		return err
	}
	for _, p := range []*int{&b.origin, &b.secure, &b.plain, &b.ended, &b.both} {
		if *p, err = port(); err != nil {
			return err
		}
	}
	origin, err := nginx(b.nginx, b.dir, "origin", local(b.origin), fmt.Sprintf(
		`server { listen 127.0.0.1:%d; listen 127.0.0.1:%d ssl; root %s/www; }`, b.origin, b.secure, b.dir))
	if err != nil {
		return err
	}
	defer origin.stop()
	b.proxy, err = nginx(b.nginx, b.dir, "proxy", local(b.plain), fmt.Sprintf(`
  upstream plain { server 127.0.0.1:%d; keepalive 64; keepalive_requests 1000000000; }
  upstream secure { server 127.0.0.1:%d; keepalive 64; keepalive_requests 1000000000; }
  proxy_http_version 1.1; proxy_set_header Connection "";
  server { listen 127.0.0.1:%d; location / { proxy_pass http://plain; } }
  server { listen 127.0.0.1:%d ssl; location / { proxy_pass http://plain; } }
  server { listen 127.0.0.1:%d ssl; location / { proxy_pass https://secure; } }`, b.origin, b.secure, b.plain, b.ended, b.both))
	if err != nil {
		return err
	}
	defer b.proxy.stop()
	for _, m := range b.measurements() {
		if !strings.Contains(m.title, only) {
			continue
		}
		if err := m.run(); err != nil {
			return fmt.Errorf("%s: %w", m.title, err)
		}
	}
	return nil
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// raiseFiles lets this process, and those it starts, have many connections.
func raiseFiles() {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return
	}
	l.Max = max(l.Max, 65536) // root may
	l.Cur = l.Max
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
		l.Cur = l.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}

// explicit is how to go through a proxy that clients know of.
func (b *bench) explicit(proxy string) (plain, secure how) {
	o, s := local(b.origin), local(b.secure)
	return how{addr: proxy, target: "http://" + o, host: o}, how{addr: proxy, tunnel: s, host: s, tls: true}
}

// flowkitPeer records to write, or to a file of its own.
func (b *bench) flowkitPeer(name, write string) (*peer, error) {
	n, err := port()
	if err != nil {
		return nil, err
	}
	p := &peer{name: name, grace: 1200 * time.Millisecond}
	p.plain, p.tls = b.explicit(local(n))
	p.start = func() (*process, error) {
		to := write
		if to == "" { // flowkit never writes over a file
			// The one before makes room: in a virtual machine, memory of the page cache that was never used is many times
			// as slow as such that was.
			_ = os.Remove(b.recording())
			b.recorded++
			to = b.recording()
		}
		return start(local(n), b.flowkit, "capture", "-q", "--insecure", "--confdir", filepath.Join(b.dir, "ca"), "--listen", local(n), "-w", to)
	}
	return p, nil
}

func (b *bench) recording() string {
	return filepath.Join(b.dir, fmt.Sprintf("out%d.flow", b.recorded))
}

func (b *bench) peers() (fk, gp, mitm *peer, err error) {
	if fk, err = b.flowkitPeer("flowkit capture", ""); err != nil {
		return nil, nil, nil, err
	}
	n, err := port()
	if err != nil {
		return nil, nil, nil, err
	}
	gp = &peer{name: "goproxy + JSON", grace: fk.grace, start: func() (*process, error) {
		return start(local(n), b.self, "-role", "goproxy", local(n), filepath.Join(b.dir, "out.jsonl"))
	}}
	gp.plain, gp.tls = b.explicit(local(n))
	program, lerr := exec.LookPath("mitmdump")
	if lerr != nil {
		return fk, gp, nil, nil
	}
	m, err := port()
	if err != nil {
		return nil, nil, nil, err
	}
	mitm = &peer{name: "mitmdump -w", few: true, start: func() (*process, error) {
		return start(local(m), program, "-q", "--ssl-insecure", "--set", "confdir="+filepath.Join(b.dir, "mitm"), "-p", fmt.Sprint(m), "-w", filepath.Join(b.dir, "out.mitm"))
	}}
	mitm.plain, mitm.tls = b.explicit(local(m))
	return fk, gp, mitm, nil
}

// nginxPeer is nginx at a port, with TLS or without.
func nginxPeer(name string, port int) *peer {
	h := how{addr: local(port), host: "localhost"}
	s := h
	s.tls = true
	return &peer{name: name, plain: h, tls: s}
}

func (b *bench) copyPeer(name string, extra ...string) (*peer, error) {
	n, err := port()
	if err != nil {
		return nil, err
	}
	h := how{addr: local(n), host: local(b.origin)}
	return &peer{name: name, plain: h, start: func() (*process, error) {
		return start(local(n), append([]string{b.self, "-role", "copy", local(n), local(b.origin)}, extra...)...)
	}}, nil
}

// measurement is one line of the budgets.
type measurement struct {
	title string
	run   func() error
}

func (b *bench) measurements() []measurement {
	return []measurement{
		{"CPU of 8 kB over HTTP", func() error { return b.small(false) }},
		{"CPU of 8 kB over HTTPS", func() error { return b.small(true) }},
		{"CPU of 1 MB bodies", b.large},
		{"memory of idle connections", b.idle},
		{"latency at half load", b.latency},
	}
}

// ratio is a bound on the cost of the first peer in terms of another.
type ratio struct {
	to     string
	budget float64
}

func (b *bench) small(secure bool) error {
	fk, gp, mitm, err := b.peers()
	if err != nil {
		return err
	}
	bare, err := b.flowkitPeer("flowkit, nothing recorded", "/dev/null")
	if err != nil {
		return err
	}
	ps := []*peer{fk, bare, gp}
	scheme := "HTTP"
	bounds := []ratio{{gp.name, 0.5}}
	if secure {
		scheme = "HTTPS"
		ps = append(ps, nginxPeer("nginx, TLS to HTTPS", b.both), nginxPeer("nginx, TLS to HTTP", b.ended))
		bounds = append(bounds, ratio{"nginx, TLS to HTTPS", 3}, ratio{"nginx, TLS to HTTP", 0})
	} else {
		ps = append(ps, nginxPeer("nginx proxy_pass", b.plain))
		bounds = append(bounds, ratio{"nginx proxy_pass", 3})
	}
	if mitm != nil {
		ps = append(ps, mitm)
		bounds = append(bounds, ratio{mitm.name, 0})
	} else {
		fmt.Println("mitmdump is not installed: it is left out")
	}
	return b.cpu("8 kB responses over "+scheme, "small", secure, 20_000, ps, bounds)
}

func (b *bench) large() error {
	fk, _, _, err := b.peers()
	if err != nil {
		return err
	}
	splice, err := b.copyPeer("io.Copy (splice)")
	if err != nil {
		return err
	}
	user, err := b.copyPeer("io.Copy (32 kB buffer)", "user")
	if err != nil {
		return err
	}
	bare, err := b.flowkitPeer("flowkit, nothing recorded", "/dev/null")
	if err != nil {
		return err
	}
	ps := []*peer{fk, bare, user, splice, nginxPeer("nginx proxy_pass", b.plain)}
	bounds := []ratio{{user.name, 2}, {splice.name, 0}, {"nginx proxy_pass", 0}}
	if err := b.cpu("1 MB responses, JPEG, over HTTP", "data", false, 600, ps, bounds); err != nil {
		return err
	}
	return b.cpu("1 MB responses, JSON, over HTTP", "text", false, 600, ps, bounds)
}

// cpu prints what a request costs each peer.
func (b *bench) cpu(title, kind string, secure bool, n int, ps []*peer, bounds []ratio) error {
	costs := make(map[string][]float64)
	n = max(int(float64(n)*b.scale), 100)
	for range b.rounds {
		for _, p := range ps {
			took, err := b.turn(p, kind, secure, n)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			costs[p.name] = append(costs[p.name], took)
		}
	}
	fmt.Printf("\n%s: CPU of the proxy per request, median of %d turns\n", title, b.rounds)
	for _, p := range ps {
		c := slices.Sorted(slices.Values(costs[p.name]))
		fmt.Printf("  %-28s %8.1f us  (%.1f to %.1f)\n", p.name, c[len(c)/2], c[0], c[len(c)-1])
	}
	for _, r := range bounds {
		var rs []float64
		for i, c := range costs[ps[0].name] {
			rs = append(rs, c/costs[r.to][i])
		}
		slices.Sort(rs)
		verdict(ps[0].name+" / "+r.to, rs[len(rs)/2], r.budget, "")
	}
	return nil
}

func verdict(what string, have, budget float64, unit string) {
	if budget == 0 {
		fmt.Printf("  %-48s %7.3g%s\n", what, have, unit)
		return
	}
	word := "met"
	if have > budget {
		word = "MISSED"
	}
	fmt.Printf("  %-48s %7.3g%s  budget: at most %.3g%s  %s\n", what, have, unit, budget, unit, word)
}

// turn returns the CPU time per request of one run, in microseconds.
func (b *bench) turn(p *peer, kind string, secure bool, n int) (float64, error) {
	proc := b.proxy
	if p.start != nil {
		var err error
		if proc, err = p.start(); err != nil {
			return 0, err
		}
		defer proc.stop()
	}
	if p.few {
		n = max(n/20, 50)
	}
	l := load{how: p.plain, paths: paths(kind), size: sizes[kind], conns: conns, total: n}
	if secure {
		l.how = p.tls
	}
	warm := l
	warm.total = n / 10
	if _, err := warm.run(func() {}); err != nil {
		return 0, err
	}
	var from time.Duration
	var err error
	if _, rerr := l.run(func() {
		time.Sleep(p.grace)
		from, err = proc.cpu()
	}); rerr != nil {
		return 0, rerr
	}
	time.Sleep(p.grace) // what is queued is written
	to, err2 := proc.cpu()
	if err != nil || err2 != nil {
		return 0, fmt.Errorf("%w, %w", err, err2)
	}
	return float64(to-from) / 1e3 / float64(n), nil
}

// idle prints the memory of 10,000 connections that say nothing.
func (b *bench) idle() error {
	fk, _, _, err := b.peers()
	if err != nil {
		return err
	}
	proc, err := fk.start()
	if err != nil {
		return err
	}
	defer proc.stop()
	before, err := proc.rss()
	if err != nil {
		return err
	}
	const n = 10_000
	open := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for range n {
		c, err := net.DialTimeout("tcp", fk.plain.addr, 5*time.Second)
		if err != nil {
			return err
		}
		open = append(open, c)
	}
	time.Sleep(2 * time.Second)
	from, err := proc.cpu()
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	to, err := proc.cpu()
	if err != nil {
		return err
	}
	after, err := proc.rss()
	if err != nil {
		return err
	}
	fmt.Printf("\n%d idle plain connections\n  flowkit capture: %d MB before, %d MB with them, %v of CPU in 2 s\n", n, before>>20, after>>20, to-from)
	verdict("resident memory", float64(after)/1e6, 300, " MB")
	// One that waits for its second request has more to keep, a connection to the server among it; a thousand tell.
	for i, c := range open[:1000] {
		if _, err := newClient(c).get(&fk.plain, paths("small")[i%files]); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second)
	if after, err = proc.rss(); err != nil {
		return err
	}
	fmt.Printf("  after a request on 1,000 of them, each with a connection to the server: %d MB\n", after>>20)
	return nil
}

// latency prints the 99th percentile at a rate that is half of what flowkit can do.
func (b *bench) latency() error {
	fk, _, _, err := b.peers()
	if err != nil {
		return err
	}
	ng := map[bool]*peer{false: nginxPeer("nginx", b.plain), true: nginxPeer("nginx", b.both)}
	for _, secure := range []bool{false, true} {
		proc, err := fk.start()
		if err != nil {
			return err
		}
		err = b.halfLoad(fk, ng[secure], secure)
		proc.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) halfLoad(fk, ng *peer, secure bool) error {
	with := func(p *peer) load {
		l := load{how: p.plain, paths: paths("small"), size: sizes["small"], conns: conns, total: int(10_000 * b.scale)}
		if secure {
			l.how = p.tls
		}
		return l
	}
	full, err := with(fk).run(func() {})
	if err != nil {
		return err
	}
	rate := full.rate() / 2
	var late [2][]float64
	var ratios []float64
	for range b.rounds {
		for i, p := range []*peer{fk, ng} {
			l := with(p)
			l.rate = rate
			r, err := l.run(func() {})
			if err != nil {
				return err
			}
			late[i] = append(late[i], float64(r.p99())/1e3)
		}
		ratios = append(ratios, late[0][len(late[0])-1]/late[1][len(late[1])-1])
	}
	slices.Sort(ratios)
	slices.Sort(late[0])
	slices.Sort(late[1])
	scheme := "HTTP"
	if secure {
		scheme = "HTTPS"
	}
	mid := len(ratios) / 2
	fmt.Printf("\n99th percentile of 8 kB over %s at %.0f requests/s, half of what flowkit did\n  flowkit capture %.0f us, nginx %.0f us\n", scheme, rate, late[0][mid], late[1][mid])
	verdict("flowkit capture / nginx", ratios[mid], 2, "")
	return nil
}
